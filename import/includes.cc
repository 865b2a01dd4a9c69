#include <glob.h>

#include "base/file.h"
#include "import/keepalived.h"

namespace l4ward::keepalived {
namespace {

constexpr std::size_t kMaxFiles = 1000;

std::vector<std::string> namesOf(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> names;
  if (::glob(pattern.c_str(), GLOB_BRACE | GLOB_MARK, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      const std::string name = found.gl_pathv[i];
      if (!name.ends_with('/')) names.push_back(name);
    }
  }
  ::globfree(&found);
  return names;
}

}  // namespace

Result<std::vector<File>> includesOf(const std::string& pattern, const std::string& includedBy) {
  const auto slash = includedBy.rfind('/');
  const bool absolute = pattern.starts_with('/');
  const auto names = namesOf(
      absolute || slash == includedBy.npos ? pattern : includedBy.substr(0, slash + 1) + pattern);
  if (names.size() > kMaxFiles) return fail("more than 1000 files");
  std::vector<File> files;
  std::size_t size = 0;
  for (const auto& name : names) {
    auto text = readFile(name, kMaxText);
    if (!text) return fail(name + ": " + text.error().message, text.error().code);
    size += text->size();
    if (size > kMaxText) return fail("files of more than 4 MiB together");
    files.push_back({name, std::move(*text)});
  }
  return files;
}

}  // namespace l4ward::keepalived
