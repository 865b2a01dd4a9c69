// The sample configurations of Debian's package. They are Keepalived's (GPL), so they are read
// where the package has them; scripts/packages.txt has the package.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "tests/import/import_fixture.h"

namespace l4ward::keepalived {
namespace {

constexpr const char* kSamples = "/usr/share/doc/keepalived/samples";

std::vector<std::string> samples() {
  std::vector<std::string> paths;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(kSamples, missing)) {
    if (entry.path().filename().string().starts_with("keepalived.conf")) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// What the name says, not counting what stands in braces: words at the beginning of a line.
std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    const auto start = line.find_first_not_of(" \t");
    if (start != line.npos && line.compare(start, word.size(), word) == 0 &&
        line.find_first_of(" \t", start) == start + word.size()) {
      ++found;
    }
    at = end + 1;
  }
  return found;
}

std::string reportOf(const Import& import) {
  std::string text;
  for (const auto& line : import.report) text += line.str() + "\n";
  return text;
}

TEST(Samples, BecomeSitesAndNothingInThemIsUnknown) {
  const auto paths = samples();
  if (paths.empty()) GTEST_SKIP() << "keepalived is not installed";
  for (const auto& path : paths) {
    SCOPED_TRACE(path);
    const auto text = readFile(path, kMaxText);
    ASSERT_TRUE(text);
    const auto result = importOf(*text);
    const auto report = reportOf(result.import);
    // Servers are in the site file, or said to be left out.
    std::size_t servers = 0;
    for (const auto& [name, pool] : result.site.pools) servers += pool.servers.size();
    const auto said = result.about("real_server").size() + result.about("virtual_server").size();
    if (count(*text, "real_server") > 0) {
      EXPECT_GT(servers + said, 0U) << report;
    }
    EXPECT_EQ(result.about("vrrp_instance").size(), count(*text, "vrrp_instance")) << report;
    for (const auto& line : result.import.report) {
      const bool unknown = line.why.find("unknown here") != std::string::npos;
      EXPECT_FALSE(unknown) << line.str();
    }
  }
}

TEST(Includes, AreFoundBesideTheirFile) {
  const auto directory =
      std::filesystem::temp_directory_path() / ("l4ward-import-" + std::to_string(::getpid()));
  std::filesystem::create_directories(directory / "conf.d");
  std::ofstream(directory / "conf.d" / "b.conf") << "two\n";
  std::ofstream(directory / "conf.d" / "a.conf") << "one\n";
  std::ofstream(directory / "conf.d" / "a.txt") << "other\n";
  const auto files = includesOf("conf.d/*.conf", directory / "keepalived.conf");
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ((*files)[0].text, "one\n");
  EXPECT_EQ((*files)[1].name, directory / "conf.d/b.conf");
  const auto none = includesOf("missing.conf", directory / "keepalived.conf");
  EXPECT_TRUE(none && none->empty());
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace l4ward::keepalived
