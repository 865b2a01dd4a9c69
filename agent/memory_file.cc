#include "agent/memory_file.h"

#include <cerrno>

#include "base/file.h"
#include "base/log.h"

namespace l4ward::agent {
MemoryFile::MemoryFile(std::string path, std::string identity)
    : path_(std::move(path)), identity_(std::move(identity)) {}

void MemoryFile::load() {
  if (path_.empty()) return;
  const auto text = readFile(path_, ipvs::kMaxMemoryBytes);
  if (!text) {
    if (text.error().code != ENOENT)
      log::warning("memory.unreadable", {{"reason", text.error().message}});
    return;
  }
  auto decoded = ipvs::decode(*text, identity_);
  if (!decoded) {
    log::warning("memory.ignored", {{"file", path_}, {"reason", decoded.error().message}});
    return;
  }
  value = std::move(*decoded);
  saved_ = value;
}

void MemoryFile::save() {
  if (path_.empty() || value == saved_) return;
  if (const auto written = replaceFile(path_, ipvs::encode(value, identity_)); !written) {
    log::error("memory.not_saved", {{"reason", written.error().message}});
    return;
  }
  saved_ = value;
}

}  // namespace l4ward::agent
