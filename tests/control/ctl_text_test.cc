#include "control/ctl/text.h"

#include <gtest/gtest.h>

#include "control/ctl/table.h"

namespace l4ward::ctl {
namespace {

TEST(Text, NothingThatATerminalObeysGetsThrough) {
  struct Case {
    const char* given;
    const char* shown;
  };
  for (const auto& [given, shown] : {
           Case{"plain", "plain"},
           Case{"\033[2J", "?[2J"},
           Case{"a\nb\tc\x7f", "a?b?c?"},
           Case{"\xc2\x9b"
                "31m",
                "?31m"},            // C1's CSI
           Case{"\xff\xfe", "??"},  // no UTF-8
           Case{"\xe2\x80\xae"
                "evil",
                "?evil"},  // right-to-left override
           Case{"a\xe2\x80\xa8"
                "b",
                "a?b"},  // line separator
           Case{"a\xe2\x80\x8b"
                "b",
                "a?b"},  // zero width space
           Case{"\xc3\xbc\xe6\xbc\xa2", "\xc3\xbc\xe6\xbc\xa2"},
       }) {
    EXPECT_EQ(clean(given), shown) << given;
  }
}

TEST(Text, ColumnsAreThoseOfTheTerminal) {
  EXPECT_EQ(columnsOf("abc"), 3U);
  EXPECT_EQ(columnsOf("\xc3\xbc"), 1U);                  // ü
  EXPECT_EQ(columnsOf("\xe6\xbc\xa2\xe5\xad\x97"), 4U);  // two wide characters
  EXPECT_EQ(columnsOf("e\xcc\x81"), 1U);                 // e and a combining accent
  EXPECT_EQ(cut("abcdef", 4), "abc…");
  EXPECT_EQ(cut("abcd", 4), "abcd");
  EXPECT_EQ(cut("\xe6\xbc\xa2\xe5\xad\x97", 3), "\xe6\xbc\xa2…");
}

TEST(Text, WrapsAtBlanksAndElsewhereIfItMust) {
  EXPECT_EQ(wrap("one two three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrap("abcdefgh", 3), (std::vector<std::string>{"abc", "def", "gh"}));
  EXPECT_EQ(wrap("", 3), (std::vector<std::string>{""}));
  EXPECT_EQ(wrap("\xe6\xbc\xa2\xe5\xad\x97", 1).size(), 2U);  // wider than the line: still ends
}

TEST(Text, TimesAndCounts) {
  EXPECT_EQ(age(0), "0s");
  EXPECT_EQ(age(-5), "0s");  // clocks are set back
  EXPECT_EQ(age(59.9), "59s");
  EXPECT_EQ(age(3599), "59m");
  EXPECT_EQ(age(7500), "2h 5m");
  EXPECT_EQ(age(100 * 3600), "4d 4h");
  EXPECT_EQ(ago(0, 100), "-");
  EXPECT_EQ(ago(97, 100), "3s ago");
  EXPECT_EQ(utc(951782400), "2000-02-29 00:00:00");
  EXPECT_EQ(utc(0), "-");
  EXPECT_EQ(utc(1e300), "-");
  EXPECT_EQ(count(99'999), "99999");
  EXPECT_EQ(count(100'000), "100k");
  EXPECT_EQ(count(12'345'678), "12M");
  EXPECT_EQ(count(UINT64_MAX), "18E");
  EXPECT_EQ(latency(0.0123), "12ms");
  EXPECT_EQ(latency(2.04), "2.0s");
}

TEST(Text, ColourOnlyIfAskedFor) {
  EXPECT_EQ(painted("x", Tone::bad, {0, false}), "x");
  EXPECT_NE(painted("x", Tone::bad, {0, true}), "x");
  EXPECT_EQ(painted("x", Tone::plain, {0, true}), "x");
}

using Kind = Column::Kind;

TEST(Table, AlignsAndLeavesOutWhatIsEmpty) {
  Table table({{"NAME"}, {"NOTHING"}, {"COUNT", Kind::right}, {"WHY", Kind::wrap}});
  table.row({"a", "", "1", "because"});
  table.row({"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc", "", "1000"});
  EXPECT_EQ(table.str({}),
            "NAME   COUNT  WHY\n"
            "a          1  because\n"
            "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc   1000\n");
}

TEST(Table, FitsByWrappingThenByCutting) {
  Table table({{"NAME", Kind::cut}, {"WHY", Kind::wrap}});
  table.row({std::string(40, 'n'), "one two three four five six seven eight nine ten eleven"});
  for (const std::size_t width : {36U, 50U, 80U}) {
    const auto text = table.str({width, false});
    std::size_t begin = 0;
    for (auto end = text.find('\n'); end != text.npos; end = text.find('\n', begin)) {
      EXPECT_LE(columnsOf(text.substr(begin, end - begin)), width) << text;
      begin = end + 1;
    }
    EXPECT_NE(text.find("eleven"), text.npos) << "a cell that wraps loses nothing";
  }
  EXPECT_EQ(table.str({36, false}).find(std::string(11, 'n')), std::string::npos);
  EXPECT_NE(table.str({}).find(std::string(40, 'n')), std::string::npos);
}

TEST(Table, ColoursDoNotMoveColumns) {
  Table table({{"A"}, {"B"}});
  table.row({{"x", Tone::bad}, "y"});
  std::string text = table.str({80, true});
  for (auto at = text.find('\033'); at != text.npos; at = text.find('\033')) {
    text.erase(at, text.find('m', at) - at + 1);
  }
  EXPECT_EQ(text, table.str({80, false}));
}

}  // namespace
}  // namespace l4ward::ctl
