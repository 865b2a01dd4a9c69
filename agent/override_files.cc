#include "agent/override_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/log.h"
#include "base/unique_fd.h"
#include "healthcheck/clean_text.h"

namespace l4ward::agent {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// The first line, for people. A file that cannot be read says what its name says.
std::string firstLine(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  std::array<char, 1024> text{};
  const auto size = fd ? ::read(fd.get(), text.data(), text.size()) : 0;
  if (size <= 0) return {};
  const std::string_view all(text.data(), static_cast<std::size_t>(size));
  return healthcheck::cleanText(all.substr(0, all.find('\n')), control::kMaxReason);
}

}  // namespace

Result<control::Override> overrideOfFileName(std::string_view name) {
  if (name.ends_with(':') || name.find(' ') != name.npos) {
    return fail("expected ACTION:SUBJECT, as in drain:server:lb7-1");
  }
  const auto next = [&name] {
    const auto colon = std::min(name.find(':'), name.size());
    const auto part = name.substr(0, colon);
    name.remove_prefix(std::min(colon + 1, name.size()));
    return part;
  };
  control::Override override;
  const auto action = control::parseAction(next());
  if (!action) return tl::unexpected(action.error());
  override.action = *action;
  // As control::Subject::str() has it.
  std::string text(next());
  std::string rest(name);
  if (text == "vip") std::ranges::replace(rest, '_', '/');
  if (const auto colon = rest.find(':'); text == "server" && colon != rest.npos) rest[colon] = '/';
  if (!rest.empty()) text += " " + rest;
  auto subject = control::Subject::parse(text);
  if (!subject) return tl::unexpected(subject.error());
  override.subject = std::move(*subject);
  return override;
}

std::optional<std::vector<control::Override>> OverrideFiles::look(const std::string& directory) {
  auto found = directory.empty() ? Prints() : list(directory);
  if (!found) {
    if (!std::exchange(isUnreadable_, true)) {
      log::error("override.directory_unreadable",
                 {{"reason", found.error().message}, {"effect", "its overrides stay as they are"}});
    }
    return std::nullopt;
  }
  isUnreadable_ = false;
  if (directory == directory_ && *found == seen_) return std::nullopt;
  directory_ = directory;
  seen_ = std::move(*found);
  return read(directory);
}

Result<OverrideFiles::Prints> OverrideFiles::list(const std::string& directory) {
  const std::unique_ptr<DIR, CloseDirectory> stream(::opendir(directory.c_str()));
  if (!stream && (errno == ENOENT || errno == ENOTDIR)) return Prints();
  if (!stream) return failErrno("cannot read " + directory, errno);
  Prints found;
  for (;;) {
    errno = 0;
    const auto* entry = ::readdir(stream.get());
    if (!entry && errno != 0) return failErrno("cannot read " + directory, errno);
    if (!entry) break;
    const std::string name = entry->d_name;
    struct stat status {};
    if (name.starts_with('.')) continue;
    if (::fstatat(::dirfd(stream.get()), name.c_str(), &status, 0) != 0) continue;  // just gone
    if (found.size() == kMaxOverrideFiles) {
      if (!std::exchange(isFull_, true)) {
        log::error("override.too_many_files",
                   {{"directory", directory}, {"limit", kMaxOverrideFiles}});
      }
      return found;
    }
    found[name] = {status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size, status.st_ino,
                   S_ISREG(status.st_mode)};
  }
  isFull_ = false;
  return found;
}

std::vector<control::Override> OverrideFiles::read(const std::string& directory) {
  std::vector<control::Override> overrides;
  const auto ignored = std::exchange(ignored_, {});
  const auto ignore = [&](const std::string& path, const std::string& reason) {
    ignored_.insert(path);
    if (ignored.contains(path)) return;
    log::warning("override.file_ignored", {{"file", path}, {"reason", reason}});
  };
  for (const auto& [name, print] : seen_) {
    const auto path = directory + "/" + name;
    auto override = overrideOfFileName(name);
    if (!override) {
      ignore(path, override.error().message);
    } else if (!print.isRegular) {
      ignore(path, "not a regular file");
    } else {
      override->by = path;
      override->reason = firstLine(path);
      override->since = static_cast<double>(print.seconds);
      override->fromFile = true;
      overrides.push_back(std::move(*override));
    }
  }
  return overrides;
}

}  // namespace l4ward::agent
