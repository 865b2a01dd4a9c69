#include "agent/gdnsd_extfile.h"

#include <unistd.h>

#include "base/file.h"
#include "base/ip.h"
#include "base/log.h"
#include "control/readiness.h"

namespace l4ward::agent {
namespace {

constexpr unsigned kMode = 0644;  // gdnsd runs as a user of its own
constexpr std::size_t kMaxBytes = 16U << 20;
constexpr std::string_view kUp = " => UP\n";
constexpr std::string_view kDown = " => DOWN\n";

}  // namespace

std::string gdnsdExtfile(const control::NodeStatus& status) {
  std::string text = "# Written by l4ward; see docs/gdnsd.md.\n";
  for (const auto& vip : status.vips) {
    const auto prefix = Prefix::parse(vip.prefix);
    if (!prefix || !prefix->isHost()) continue;
    text += prefix->address.str();
    text += control::whyNotUsable(status, vip).empty() ? kUp : kDown;
  }
  return text;
}

std::string allDown(const std::string& extfile) {
  auto text = extfile;
  for (auto at = text.find(kUp); at != text.npos; at = text.find(kUp, at)) {
    text.replace(at, kUp.size(), kDown);
  }
  return text;
}

void GdnsdExtfile::setPath(const std::string& path) {
  if (path == path_) return;
  if (!path_.empty()) ::unlink(path_.c_str());
  path_ = path;
  held_.reset();
  failed_ = false;
  if (path_.empty()) return;
  if (auto text = readFile(path_, kMaxBytes)) held_ = *std::move(text);
}

void GdnsdExtfile::update(const std::string& text) {
  if (isWanted()) write(text);
}

void GdnsdExtfile::setAllDown() {
  if (isWanted() && held_) write(allDown(*held_));
}

void GdnsdExtfile::write(const std::string& text) {
  if (held_ == text) return;
  const auto written = replaceFile(path_, text, kMode);
  if (written) {
    held_ = text;
  } else if (!failed_) {
    log::error("gdnsd.not_written", {{"reason", written.error().message}});
  }
  failed_ = !written;
}

}  // namespace l4ward::agent
