#include "config/servers_from.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/file.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 4096;

// No FIFO and no device is opened: it might hold up the reader for ever.
Result<std::string> readRegular(const std::string& path, std::size_t limit) {
  std::error_code problem;
  const auto status = fs::status(path, problem);
  if (!fs::exists(status)) return failErrno("cannot open " + path, problem.value());
  if (!fs::is_regular_file(status)) return fail(path + " is not a regular file", EINVAL);
  return readFile(path, limit);
}

Result<std::vector<std::string>> filesIn(const std::string& directory) {
  std::vector<std::string> paths;
  std::error_code problem;
  std::size_t entries = 0;
  fs::directory_iterator entry(directory, problem);
  for (; !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
    if (++entries > kMaxFiles) {
      return fail(directory + " has more than " + std::to_string(kMaxFiles) + " entries");
    }
    const auto name = entry->path().filename().string();
    std::error_code ignored;
    if (name.starts_with('.') || !name.ends_with(".yaml") || entry->is_directory(ignored)) continue;
    paths.push_back(entry->path().string());
  }
  if (problem) return failErrno("cannot read " + directory, problem.value());
  std::ranges::sort(paths);
  return paths;
}

Result<std::vector<ServersFile>> readAll(const std::string& path) {
  std::error_code ignored;
  auto paths = fs::is_directory(path, ignored) ? filesIn(path) : std::vector<std::string>{path};
  if (!paths) return tl::unexpected(paths.error());
  std::vector<ServersFile> files;
  std::size_t left = kMaxSiteBytes;
  for (const auto& file : *paths) {
    auto text = readRegular(file, left);
    if (!text) return tl::unexpected(text.error());
    left -= text->size();
    files.push_back({file, *std::move(text)});
  }
  return files;
}

// Addresses of IPv6 are no names: such a server is its address.
bool isBareAddress(const Server& server) {
  return !isName(server.name);
}

std::string textOf(const Server& server) {
  if (isBareAddress(server)) return "- \"" + server.name + "\"\n";
  std::string text = "- { name: \"" + server.name + "\", address: [";
  for (const auto& address : server.addresses) {
    if (&address != &server.addresses.front()) text += ", ";
    text += "\"" + address.str() + "\"";
  }
  text += "], weight: " + std::to_string(server.weight);
  const auto& [upper, lower] = server.thresholds;
  if (upper > 0) {
    text += ", thresholds: { upper: " + std::to_string(upper) +
            ", lower: " + std::to_string(lower) + " }";
  }
  return text + " }\n";
}

}  // namespace

std::string pathBeside(const std::string& siteFile, const std::string& from) {
  return (fs::path(siteFile).parent_path() / from).string();
}

ServersReader serversBeside(const std::string& siteFile) {
  return [siteFile](const Pool& pool) { return readAll(pathBeside(siteFile, pool.serversFrom)); };
}

std::string serversText(const std::vector<Server>& servers) {
  std::string text;
  for (const auto& server : servers) text += textOf(server);
  return text.empty() ? "[]\n" : text;
}

}  // namespace l4ward::config
