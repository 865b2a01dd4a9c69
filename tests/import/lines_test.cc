// The language: comments, definitions, conditions, sequences, included files, blocks.
#include <gmock/gmock.h>

#include "import/tree.h"

namespace l4ward::keepalived {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<std::vector<Line>> read(const std::string& text, const ReadInclude& include = nullptr) {
  Report report;
  return readLines({"/etc/keepalived/k.conf", text}, "main", include, report);
}

std::vector<std::string> textsOf(const std::string& text, const ReadInclude& include = nullptr) {
  const auto lines = read(text, include);
  EXPECT_TRUE(lines) << lines.error().message;
  std::vector<std::string> texts;
  for (const auto& line : lines.value_or(std::vector<Line>())) texts.push_back(line.text);
  return texts;
}

struct Case {
  const char* name;
  std::string text;
  std::vector<std::string> lines;
};

class Language : public testing::TestWithParam<Case> {};

TEST_P(Language, BecomesTheseLines) {
  EXPECT_EQ(textsOf(GetParam().text), GetParam().lines);
}

const Case kCases[] = {
    {"Comments", "a b # c\n! d\n  e!f\n", {"a b", "e"}},
    {"CommentsInQuotes", "a \"b # c ! d\" # e\n", {"a \"b # c ! d\""}},
    {"EscapedComments", "a \\#b \\!c\n", {"a #b !c"}},
    {"ReturnsAndTheLastLine", "a\r\nb", {"a", "b"}},
    {"Definition", "$X=1 2\na $X b\na ${X}3\na $Xb $Y\n", {"a 1 2 b", "a 1 23", "a $Xb $Y"}},
    {"DefinitionIsReplacedWhenUsed",
     "$B=10.${S}\n$S=0\na ${B}.1\n$S=9\na ${B}.1\n",
     {"a 10.0.1", "a 10.9.1"}},
    {"EmptyDefinition", "$X=\na ${X}b\n", {"a b"}},
    {"SeveralLines",
     "$X= \\\n a { \\\n  b $N \\\n }\n$N=1\n$X\n$N=2\n$X\n",
     {"a {", "b 1", "}", "a {", "b 2", "}"}},
    {"SeveralLinesInEachOther",
     "$I= \\\n i ${V}.${N} \\\n j\n$O= \\\n o $V { \\\n $N=1 \\\n $I \\\n $N=2 \\\n $I \\\n }\n"
     "$V=7\n$O\n",
     {"o 7 {", "i 7.1", "j", "i 7.2", "j", "}"}},
    {"Conditions",
     "@main a\n@other b\n@^main c\n@^other d\n@main $X=1\n@other $X=2\ne $X\n",
     {"a", "d", "e 1"}},
    {"ConditionBehindADefinition", "$M=@main\n$M a\n", {"a"}},
    {"Hash", "a ${_HASH}b ${_BANG}\n", {"a"}},
    {"WorkingDirectory", "a ${_PWD}/b ${_INSTANCE}\n", {"a /etc/keepalived/b main"}},
    {"Sequence", "~SEQ(N, 0, 2) a ${N}\n", {"a 0", "a 1", "a 2"}},
    {"SequenceOfOneNumber", "~SEQ(N, 3) a $N\n", {"a 1", "a 2", "a 3"}},
    {"SequenceWithStep", "~SEQ(N, 6, -2, 1) a $N\n", {"a 6", "a 4", "a 2"}},
    {"SequenceInHex",
     "~SEQx(N, 0x90, 0x10, 0xb0) a fe80::${N}\n",
     {"a fe80::90", "a fe80::a0", "a fe80::b0"}},
    {"SequencesInEachOther",
     "$E=2\n~SEQ(N,$E) ~SEQ(M,1,2) a ${N}${M}\n",
     {"a 11", "a 12", "a 21", "a 22"}},
    {"SequenceOfSeveralLines",
     "$B= \\\n b ${N} { \\\n }\n~SEQ(N,2) $B\n",
     {"b 1 {", "}", "b 2 {", "}"}},
    {"List", "~LST({A, B}, {10,1}, {20,4}) a ${A}.${B}\n", {"a 10.1", "a 20.4"}},
    {"ListOfOneName", "~LST(A, x, y) a $A\n", {"a x", "a y"}},
};

INSTANTIATE_TEST_SUITE_P(Lines, Language, testing::ValuesIn(kCases),
                         [](const auto& row) { return row.param.name; });

TEST(Include, ReadsTheFilesAtItsPlace) {
  const auto include = [](const std::string& pattern, const std::string& by) {
    EXPECT_EQ(pattern, "conf.d/*.conf");
    EXPECT_EQ(by, "/etc/keepalived/k.conf");
    return Result<std::vector<File>>(
        std::vector<File>{{"conf.d/1.conf", "b $X\n$Y=2\n"}, {"conf.d/2.conf", "c"}});
  };
  EXPECT_THAT(textsOf("$X=1\na\ninclude conf.d/*.conf\nd $Y\n", include),
              ElementsAre("a", "b 1", "c", "d 2"));
}

TEST(Include, OfItselfIsAnError) {
  const ReadInclude include = [](const std::string&, const std::string&) {
    return Result<std::vector<File>>(std::vector<File>{{"again", "include again\n"}});
  };
  EXPECT_THAT(read("include again\n", include).error().message, HasSubstr("again:1: files that"));
}

TEST(Include, WithoutFilesIsReported) {
  Report report;
  const auto none = [](const std::string&, const std::string&) {
    return Result<std::vector<File>>();
  };
  ASSERT_TRUE(readLines({"k.conf", "a\nincluder more.conf\n"}, "", none, report));
  const auto lines = report.take();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].line, 2);
  EXPECT_EQ(lines[0].level, Level::lost);
}

TEST(Condition, ForOtherNodesIsReported) {
  Report report;
  ASSERT_TRUE(readLines({"k.conf", "@other quorum 3\n"}, "main", nullptr, report));
  const auto lines = report.take();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].value, "quorum 3");
}

TEST(Words, OfScripts) {
  EXPECT_EQ(splitQuoted(R"(a 'b "c' "d 'e" f\ g\x41\101)"), (Words{"a", "b \"c", "d 'e", "f gAA"}));
  EXPECT_EQ(splitCommand("\"/bin/x 'a b' c\""), (Words{"/bin/x", "a b", "c"}));
  EXPECT_EQ(splitCommand("/bin/x 'a b'"), (Words{"/bin/x", "a b"}));
  EXPECT_FALSE(splitQuoted("a 'b"));
  EXPECT_FALSE(splitQuoted("a\\"));
}

Result<Node> tree(const std::string& text) {
  const auto lines = read(text);
  EXPECT_TRUE(lines);
  return parseTree(lines.value_or(std::vector<Line>()));
}

TEST(Tree, BracesMayStandAnywhere) {
  const auto root = tree("a b { c { d \"}\" } e }\nf\n{\ng}\n");
  ASSERT_TRUE(root) << root.error().message;
  ASSERT_EQ(root->children.size(), 2U);
  const auto& a = root->children[0];
  EXPECT_THAT(a.words, ElementsAre("a", "b"));
  ASSERT_EQ(a.children.size(), 2U);
  EXPECT_THAT(a.children[0].children.at(0).words, ElementsAre("d", "}"));
  EXPECT_THAT(a.children[1].words, ElementsAre("e"));
  EXPECT_EQ(root->children[1].children.at(0).place.line, 4);
}

struct Malformed {
  const char* text;
  const char* message;
};

TEST(Malformed, IsAnErrorWithItsLine) {
  std::string nested;
  for (int i = 0; i < 40; ++i) nested += "a {\n";
  const Malformed cases[] = {
      {"a {\nb\n", "k.conf:1: the block 'a' has no end"},
      {"a\n}\n", "k.conf:2: '}' without a block"},
      {"\n{\n}\n", "k.conf:2: '{' without a keyword"},
      {"a { } { }\n", "k.conf:1: '{' without a keyword"},
      {"a \"b\n", "k.conf:1: a quote without an end"},
      {nested.c_str(), "k.conf:33: more than 32 blocks"},
      {"$A= \\\n b \\\n", "k.conf:1: the definition of A has no end"},
      {"$A=$A x\nb $A\n", "k.conf:2: a definition that contains itself"},
      {"$A=x ${A}${A}\nb $A\n", "k.conf:2: a "},
      {"~SEQ(N, 1, 0, 5) a\n", "k.conf:1: ~SEQ without start, step and end"},
      {"~SEQ(N, 1, 9999999) a\n", "k.conf:1: ~SEQ with too many"},
      {"~SEQ(N) a\n", "k.conf:1: ~SEQ without a name and values"},
      {"~SEQ N a\n", "k.conf:1: ~SEQ without parentheses"},
      {"~LST({A,B}, 1) a\n", "k.conf:1: ~LST whose values"},
      {"~SEQ(A,1,60000) ~SEQ(B,1,60000) a\n", "k.conf:1: "},
  };
  for (const auto& [text, message] : cases) {
    const auto lines = read(text);
    const auto result = lines ? parseTree(*lines) : Result<Node>(tl::unexpected(lines.error()));
    ASSERT_FALSE(result) << text;
    EXPECT_THAT(result.error().message, HasSubstr(message));
  }
}

TEST(Malformed, TooLarge) {
  EXPECT_FALSE(read(std::string(kMaxText + 1, '\n')));
  EXPECT_FALSE(read(std::string(70'000, 'a')));
  EXPECT_FALSE(read(std::string("a\0b", 3)));
}

}  // namespace
}  // namespace l4ward::keepalived
