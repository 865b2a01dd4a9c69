// Each keyword of the checker side is carried over or named in the report, and docs/keepalived.md
// says which.
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <set>
#include <tuple>

#include "base/file.h"
#include "import/keepalived.h"
#include "tests/import/keyword_rows.h"

namespace l4ward::keepalived {
namespace {

constexpr std::size_t kMaxManual = std::size_t{4} << 20;

Import imported(const std::string& text) {
  auto result = importKeepalived(text, "keepalived.conf", nullptr);
  EXPECT_TRUE(result) << result.error().message << "\n" << text;
  return result.value_or(Import());
}

std::string reportOf(const Import& import) {
  std::string out;
  for (const auto& line : import.report) out += line.str() + "\n";
  return out;
}

bool says(const Import& import, const std::string& keyword, Level level) {
  return std::any_of(import.report.begin(), import.report.end(), [&](const auto& line) {
    return line.keyword == keyword && line.level == level;
  });
}

class Keyword : public testing::TestWithParam<Row> {};

TEST_P(Keyword, IsCarriedOverOrNamed) {
  const auto& row = GetParam();
  const auto import = imported(configurationWith(row.where, row.text));
  EXPECT_NE(import.siteYaml.find(row.result), std::string::npos) << import.siteYaml;
  const std::string fate = row.fate;
  const bool lost = says(import, row.keyword, Level::lost);
  const bool changed = says(import, row.keyword, Level::changed);
  EXPECT_EQ(lost, fate == "lost") << reportOf(import);
  EXPECT_EQ(changed, fate == "changed") << reportOf(import);
  if (fate == "note") {
    EXPECT_TRUE(says(import, row.keyword, Level::note)) << reportOf(import);
  }
  for (const auto& line : import.report) {
    EXPECT_EQ(line.why.find("unknown here"), std::string::npos) << line.str();
  }
}

// Without the statement the result would not be there: it is the statement that makes it.
TEST_P(Keyword, MakesADifference) {
  const auto& row = GetParam();
  if (std::string(row.fate) != "carried" || std::string(row.result).empty()) return;
  const auto without = imported(configurationWith(Where::root, ""));
  if (std::string(row.keyword) == "TCP_CHECK" ||
      std::tuple(std::string(row.scope), std::string(row.keyword)) ==
          std::tuple(std::string("virtual_server"), std::string("mh-fallback"))) {
    return;  // what the configuration has anyway
  }
  EXPECT_EQ(without.siteYaml.find(row.result), std::string::npos) << without.siteYaml;
}

std::string testName(const testing::TestParamInfo<Row>& info) {
  auto name = std::string(info.param.scope) + "_" + info.param.keyword;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Table, Keyword, testing::ValuesIn(keywordRows()), testName);

TEST(KeywordTable, TheConfigurationAroundIsCarriedOverAsItIs) {
  const auto import = imported(configurationWith(Where::root, ""));
  EXPECT_EQ(reportOf(import), "");
}

// The first words of the statements in the manual's section about LVS, as installed.
std::set<std::string> documentedKeywords() {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(
      ::gzopen("/usr/share/man/man5/keepalived.conf.5.gz", "rb"), ::gzclose);
  if (!file) return {};
  std::string text(kMaxManual, '\0');
  const int size = ::gzread(file.get(), text.data(), static_cast<unsigned>(text.size()));
  text.resize(static_cast<std::size_t>(std::max(size, 0)));
  std::set<std::string> keywords;
  bool lvs = false;
  bool code = false;
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size() - 1);
    std::string line(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    if (line.starts_with(".SH LVS")) lvs = true;
    if (line.starts_with(".SH ADVANCED")) lvs = false;
    if (line == ".nf" || line == ".fi") code = line == ".nf";
    for (const auto* font : {"\\fB", "\\fI", "\\fR"}) {
      for (auto at = line.find(font); at != line.npos; at = line.find(font)) line.erase(at, 3);
    }
    const auto start = line.find_first_not_of(" \t");
    if (!lvs || !code || start == line.npos ||
        std::isalpha(static_cast<unsigned char>(line[start])) == 0) {
      continue;
    }
    const auto stop = line.find_first_of(" \t", start);
    std::string words = line.substr(start, stop == line.npos ? stop : stop - start) + "|";
    for (auto bar = words.find('|'); bar != words.npos; bar = words.find('|')) {
      if (bar > 0) keywords.insert(words.substr(0, bar));
      words.erase(0, bar + 1);
    }
  }
  for (const auto* prose : {"The", "or", "CHECKER_TYPE"}) keywords.erase(prose);
  return keywords;
}

TEST(KeywordTable, HasAllThatTheManualHas) {
  const auto documented = documentedKeywords();
  if (documented.empty()) GTEST_SKIP() << "keepalived is not installed";
  EXPECT_GT(documented.size(), 80U);
  std::set<std::string> known;
  for (const auto& row : keywordRows()) known.insert(row.keyword);
  for (const auto& keyword : documented) EXPECT_TRUE(known.contains(keyword)) << keyword;
}

using Documented = std::tuple<std::string, std::string, std::string>;

// "| `scope` | `keyword` | fate | … |"
std::set<Documented> rowsOfDocs() {
  const auto text = readFile(L4WARD_SOURCE_DIR "/docs/keepalived.md", kMaxManual);
  EXPECT_TRUE(text);
  std::set<Documented> rows;
  if (!text) return rows;
  for (std::string_view rest = *text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size() - 1);
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    std::array<std::string, 3> cells;
    std::size_t at = 0;
    for (auto& cell : cells) {
      const auto bar = line.find('|', at);
      const auto next = bar == line.npos ? bar : line.find('|', bar + 1);
      if (next == line.npos) break;
      for (const char c : line.substr(bar + 1, next - bar - 1)) {
        if (c != '`' && c != ' ') cell += c;
      }
      at = next;
    }
    const auto& fate = cells[2];
    if (fate == "carried" || fate == "changed" || fate == "lost" || fate == "note") {
      EXPECT_TRUE(rows.emplace(cells[0], cells[1], fate).second) << line;
    }
  }
  return rows;
}

TEST(KeywordTable, IsTheOneInTheDocuments) {
  std::set<Documented> tested;
  for (const auto& row : keywordRows()) tested.emplace(row.scope, row.keyword, row.fate);
  EXPECT_EQ(tested.size(), keywordRows().size());
  const auto documented = rowsOfDocs();
  for (const auto& [scope, keyword, fate] : tested) {
    EXPECT_TRUE(documented.contains({scope, keyword, fate})) << scope << " " << keyword;
  }
  for (const auto& [scope, keyword, fate] : documented) {
    EXPECT_TRUE(tested.contains({scope, keyword, fate})) << scope << " " << keyword;
  }
}

}  // namespace
}  // namespace l4ward::keepalived
