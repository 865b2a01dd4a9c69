// Whatever the bytes, loadSite returns, and what it says stays within its bounds.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>

#include "base/file.h"
#include "config/diagnostics.h"
#include "site_text.h"

namespace l4ward::config {
namespace {

using Random = std::mt19937;

std::size_t below(std::size_t limit, Random& random) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

// One to four changes of the kinds that editors, templates and accidents make.
std::string mutate(std::string text, const std::string& other, Random& random) {
  static const std::vector<std::string> kSnippets{
      "[",      "]",     "{",           "}",     "- ",     ": ",   "? ", "&a ",
      "*a",     "!!x ",  "!",           "|\n",   ">\n",    "'",    "\"", "\n---",
      "#",      "\t",    "\n",          "  ",    "<<: *a", "0x1F", "~",  "null",
      "-1s",    "\\",    "\\x",         "\xff",  "é",      "%",    "@",  "99999999999999",
      "{}",     "[]",    ",",           ":",     "yes",    "!2",   "?:", "\r",
      "- - - ", "\"\\u", "%YAML 1.2\n", "...\n", "[?",     "{?"};
  for (auto changes = below(4, random) + 1; changes > 0; --changes) {
    if (text.empty()) return text;
    const auto at = below(text.size(), random);
    const auto length = std::min(below(40, random) + 1, text.size() - at);
    switch (below(6, random)) {
      case 0:
        text[at] = static_cast<char>(below(256, random));
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, kSnippets[below(kSnippets.size(), random)]);
        break;
      case 3:
        text.insert(below(text.size(), random), text.substr(at, length));
        break;
      case 4:
        text.resize(at);
        break;
      default:
        text.insert(at, other, below(other.size(), random), length);
    }
  }
  return text;
}

TEST(Robustness, MutatedExamples) {
  std::vector<std::string> seeds{std::string(kSiteText), std::string(kIpvsText),
                                 std::string(kChecksText), std::string(kRoutesText)};
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(L4WARD_SOURCE_DIR) + "/examples")) {
    if (entry.path().extension() == ".yaml") {
      seeds.push_back(readFile(entry.path(), 1U << 20).value());
    }
  }
  std::sort(seeds.begin(), seeds.end());
  const char* rounds = std::getenv("L4WARD_MUTATIONS");
  Random random(20260131);
  int right = 0;
  for (int i = rounds == nullptr ? 5000 : std::atoi(rounds); i > 0; --i) {
    const auto text =
        mutate(seeds[below(seeds.size(), random)], seeds[below(seeds.size(), random)], random);
    const auto site = loadSite(text, "f", "host");
    if (site) {
      ++right;
      continue;
    }
    ASSERT_FALSE(site.error().empty()) << text;
    ASSERT_LE(site.error().size(), kMaxDiagnostics);
    const auto lines =
        std::count(text.begin(), text.end(), '\n') + std::count(text.begin(), text.end(), '\r') + 2;
    for (const auto& diagnostic : site.error()) {
      ASSERT_GE(diagnostic.line, 0) << text;
      ASSERT_LE(diagnostic.line, lines) << text;
      ASSERT_FALSE(diagnostic.found.empty());
      ASSERT_FALSE(diagnostic.expected.empty());
      ASSERT_EQ(diagnostic.str().find('\n'), std::string::npos);
    }
  }
  EXPECT_GT(right, 0);  // otherwise the mutations only ever reach the parser
}

TEST(Robustness, TheLargestSitesLoadInTime) {
  std::string text = "checks: {tcp: {type: tcp}}\npools:\n";
  for (int p = 0; p < 5; ++p) {
    text += "  p" + std::to_string(p) + ":\n    check: tcp\n    servers:\n";
    for (int i = 0; i < 4093; ++i) {
      text += "      - {name: s" + std::to_string(i) + ", address: [10." + std::to_string(p) + "." +
              std::to_string(i / 250) + "." + std::to_string(i % 250 + 1) + "]}\n";
    }
  }
  text += "services:\n";
  for (int i = 0; i < 1024; ++i) {
    text += "  v" + std::to_string(i) + ": {pool: p" + std::to_string(i % 5) +
            ", ports: [80, 443], vips: [198.18." + std::to_string(i / 250) + "." +
            std::to_string(i % 250 + 1) + "]}\n";
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(errorsOf(text), testing::IsEmpty());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(Robustness, ManyErrorsKeepTheFirstHundredInOrder) {
  std::string text = "services: {}\nsysctls:\n";
  for (int i = 0; i < 20000; ++i) text += "  bad" + std::to_string(i) + ": 1\n";
  const auto site = loadSite(text, "f", "host");
  ASSERT_FALSE(site);
  ASSERT_EQ(site.error().size(), 100U);
  EXPECT_EQ(site.error().front().line, 3);
  EXPECT_EQ(site.error().back().line, 102);
}

}  // namespace
}  // namespace l4ward::config
