#include "healthcheck/matcher.h"

#include <gtest/gtest.h>

namespace l4ward::healthcheck {
namespace {

Matcher text(std::string sought) {
  return std::move(Matcher::make({std::move(sought), false}).value());
}

Matcher pattern(std::string sought) {
  return std::move(Matcher::make({std::move(sought), true}).value());
}

TEST(Matcher, ATextIsSoughtAsItStands) {
  EXPECT_TRUE(text("ready").matches("not ready yet"));
  EXPECT_TRUE(text("").matches(""));
  EXPECT_FALSE(text("ready").matches("Ready"));
  EXPECT_FALSE(text("ready").matches(""));
  EXPECT_FALSE(text("rea.y").matches("ready"));
}

TEST(Matcher, APatternIsSoughtAnywhere) {
  EXPECT_TRUE(pattern("rea.y").matches("not ready yet"));
  EXPECT_TRUE(pattern("^not").matches("not ready yet"));
  EXPECT_FALSE(pattern("^ready").matches("not ready yet"));
  EXPECT_TRUE(pattern("(?i)READY").matches("not ready yet"));
  EXPECT_FALSE(pattern("READY").matches("not ready yet"));
}

TEST(Matcher, LinesAreNothingSpecialUnlessAskedFor) {
  EXPECT_FALSE(pattern("a.b").matches("a\nb"));
  EXPECT_TRUE(pattern("(?s)a.b").matches("a\nb"));
  EXPECT_FALSE(pattern("^b").matches("a\nb"));
  EXPECT_TRUE(pattern("(?m)^b").matches("a\nb"));
}

TEST(Matcher, BytesNeedNotBeText) {
  const std::string bytes("\x80\0\xff", 3);
  EXPECT_TRUE(text(std::string("\0\xff", 2)).matches(bytes));
  EXPECT_TRUE(pattern("^...$").matches(bytes));
  EXPECT_TRUE(pattern("\\x80\\x00\\xff").matches(bytes));
  EXPECT_TRUE(pattern("é").matches("café"));
}

TEST(Matcher, OnlyTheFirst64KiBCount) {
  const std::string before(maxMatchedBytes - 5, 'x');
  for (const auto& matcher : {text("ready"), pattern("r[e]ady")}) {
    EXPECT_TRUE(matcher.matches(before + "ready"));
    EXPECT_FALSE(matcher.matches(before + "xready"));
    EXPECT_FALSE(matcher.matches(before + "xxxxxxxxready"));
  }
}

TEST(Matcher, APatternThatIsNoneIsAnError) {
  for (const std::string wrong : {"(", "[a", "*", "(?P<n", "\\", "a{1001}", "(a)\\1", "(?=a)"}) {
    const auto made = Matcher::make({wrong, true});
    ASSERT_FALSE(made) << wrong;
    EXPECT_FALSE(made.error().message.empty()) << wrong;
  }
  EXPECT_EQ(Matcher::make({"(abc", true}).error().message, "missing ): (abc");
  EXPECT_TRUE(Matcher::make({"(", false}));
}

TEST(Matcher, APatternThatNeedsMuchMemoryIsAnError) {
  EXPECT_FALSE(Matcher::make({"((a{100}){100}){100}", true}));
  EXPECT_FALSE(Matcher::make({"(?:[a-z]{0,999}[0-9]{0,999}){9}", true}));
}

// What makes a backtracking matcher take longer than the universe lasts.
TEST(Matcher, NoPatternTakesExponentialTime) {
  EXPECT_FALSE(pattern("(a*)*(a*)*(a|aa)+$").matches(std::string(maxMatchedBytes - 1, 'a') + "b"));
  EXPECT_FALSE(text(std::string(1000, 'a') + "b").matches(std::string(maxMatchedBytes, 'a')));
}

TEST(Matcher, Describe) {
  EXPECT_EQ(text("ready").describe(), "'ready'");
  EXPECT_EQ(pattern("rea.y").describe(), "/rea.y/");
  EXPECT_EQ(text("a\x1b[2Jb").describe(), "'a [2Jb'");
  EXPECT_LT(text(std::string(500, 'x')).describe().size(), 80U);
}

}  // namespace
}  // namespace l4ward::healthcheck
