#include "agent/discovery.h"

#include <algorithm>
#include <filesystem>

namespace l4ward::agent {
namespace {

namespace fs = std::filesystem;

// Where something must happen for `path` to be another one: the directory that it is in, the one
// that it is, and the one that a link leads to.
void addDirectories(const fs::path& path, std::set<std::string>& into) {
  const auto parentOf = [](const fs::path& child) {
    const auto parent = child.parent_path();
    return parent.empty() ? std::string(".") : parent.string();
  };
  into.insert(parentOf(path));
  std::error_code problem;
  if (fs::is_directory(path, problem)) into.insert(path.string());
  const auto real = fs::canonical(path, problem);
  if (!problem) into.insert(parentOf(real));
}

}  // namespace

Discovery::Discovery(asio::io_context& loop, std::function<void()> look, Pace pace)
    : look_(std::move(look)),
      pace_(pace),
      timer_(loop),
      directories_(loop, [this](std::string_view) { onNews(); }) {}

void Discovery::watch(const std::set<std::string>& paths) {
  std::set<std::string> directories;
  for (const auto& path : paths) addDirectories(path, directories);
  directories_.watch(directories);
  any_ = !paths.empty();
  if (!any_) {
    timer_.cancel();
    firstNews_.reset();
  } else if (!firstNews_) {
    lookAt(Clock::now() + pace_.period);
  }
}

void Discovery::onNews() {
  if (!any_) return;
  const auto now = Clock::now();
  if (!firstNews_) firstNews_ = now;
  lookAt(std::min(now + pace_.quiet, *firstNews_ + pace_.most));
}

void Discovery::lookAt(TimePoint at) {
  timer_.expires_at(at);
  timer_.async_wait([this](const ErrorCode& error) {
    if (error) return;
    firstNews_.reset();
    lookAt(Clock::now() + pace_.period);
    look_();
  });
}

}  // namespace l4ward::agent
