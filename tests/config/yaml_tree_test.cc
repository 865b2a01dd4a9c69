#include "config/yaml_tree.h"

#include <string>

#include "site_text.h"

namespace l4ward::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string errorOf(std::string_view text) {
  const auto tree = parseYaml(text, "f");
  return tree ? "" : tree.error().str();
}

TEST(YamlTree, KeepsDuplicatesPlacesAndEmptyValues) {
  const auto tree = parseYaml("a:\n\nb: [x, 'y']\nb: {}\n", "f").value();
  ASSERT_EQ(tree.children.size(), 3U);
  EXPECT_EQ(tree.children[0].kind, Node::Kind::null);
  EXPECT_EQ(tree.children[0].place, (Place{1, 1}));
  EXPECT_EQ(tree.children[1].children[1].text, "y");
  EXPECT_EQ(tree.children[1].children[1].place, (Place{3, 8}));
  EXPECT_EQ(tree.children[2].key, "b");
  EXPECT_EQ(tree.children[2].keyPlace, (Place{4, 1}));
}

TEST(YamlTree, NothingIsNull) {
  for (const auto* text : {"", "\n\n", "# a comment\n", "---\n", "---\n...\n"}) {
    EXPECT_EQ(parseYaml(text, "f").value().kind, Node::Kind::null) << text;
  }
}

TEST(YamlTree, SyntaxErrorsHaveAPlaceAndAdvice) {
  EXPECT_EQ(errorOf("a: 1\nb: [1, 2\nc: 3\n"),
            "f:2:4: found a '[' that is not closed, expected a ']' and ',' between items");
  EXPECT_EQ(errorOf("a:\n  x: {b: 1\n"),
            "f:2:6: found a '{' that is not closed, expected a '}' and ',' between entries");
  EXPECT_THAT(errorOf("a: b: c"), StartsWith("f:1:5: found a ':' that belongs to no key"));
  EXPECT_EQ(errorOf("a:\n\tb: c"), "f:2:1: found a tab in the indentation, expected blanks");
  EXPECT_THAT(errorOf("a:\n    b: 1\n  c: 2\n"), StartsWith("f:3:3: found an indentation"));
  EXPECT_THAT(errorOf("a: 'x"), HasSubstr("found a quote that is not closed"));
  EXPECT_THAT(errorOf("a: *x"), HasSubstr("found an alias without an anchor"));
  EXPECT_THAT(errorOf("a: ]"), StartsWith("f:1:4: found a ']' or '}' that closes nothing"));
  EXPECT_THAT(errorOf("a: @x"), HasSubstr("expected quotes around text that begins with '@'"));
}

TEST(YamlTree, RefusesWhatASiteFileDoesNotNeed) {
  EXPECT_THAT(errorOf("a: !!python/object:os.system x"), StartsWith("f:1:4: found a tag"));
  EXPECT_THAT(errorOf("a: !!map {b: c}"), HasSubstr("found a tag"));
  EXPECT_THAT(errorOf("a: 1\n---\nb: 2\n"), HasSubstr("found more text behind the end"));
  EXPECT_THAT(errorOf("{a: 1} {b: 2}"), StartsWith("f:1:8: found more text behind the end"));
  EXPECT_THAT(errorOf("[a]: b"), StartsWith("f:1:1: found a key that is not text"));
  EXPECT_THAT(errorOf("{a: b}: c"), HasSubstr("found a key that is not text"));
  EXPECT_THAT(errorOf("~: c"), HasSubstr("found a key that is not text"));
}

TEST(YamlTree, RefusesBytesThatAreNotText) {
  using namespace std::string_literals;
  EXPECT_EQ(errorOf("a: b\nc: \0d"s), "f:2:4: found control character 0, expected text");
  EXPECT_THAT(errorOf("a: \x04"), HasSubstr("control character 4"));
  EXPECT_THAT(errorOf("a: \x7f"), HasSubstr("control character 127"));
  for (const auto* bad : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_EQ(errorOf("é: " + std::string(bad)),
              "f:1:4: found a byte that is not UTF-8, expected UTF-8 text");
  }
}

TEST(YamlTree, BoundsTheDepth) {
  EXPECT_EQ(errorOf(std::string(32, '[') + std::string(32, ']')), "");
  EXPECT_THAT(errorOf(std::string(33, '[') + std::string(33, ']')), HasSubstr("at most 32 levels"));
  EXPECT_THAT(errorOf(std::string(1'000'000, '[')), HasSubstr("at most 32 levels"));
  EXPECT_THAT(errorOf(std::string(1'000'000, '{')), HasSubstr("at most 32 levels"));
  std::string blocks;
  for (int i = 0; i < 1000; ++i) blocks += "- ";
  EXPECT_THAT(errorOf(blocks), HasSubstr("at most 32 levels"));
  std::string chain = "a0: &a0 [x]\n";
  for (int i = 1; i < 1000; ++i) {
    const auto n = std::to_string(i);
    chain += "a" + n + ": &a" + n + " [*a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_THAT(errorOf(chain), HasSubstr("at most 32 levels"));
}

TEST(YamlTree, BoundsWhatAliasesMultiply) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const auto before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += before + ", ";
    bomb += "]\n";
  }
  EXPECT_THAT(errorOf(bomb), HasSubstr("aliases that multiply"));
  EXPECT_THAT(errorOf("&a [*a]"), HasSubstr("alias that contains itself"));
}

TEST(YamlTree, BoundsNodesAndText) {
  std::string many = "[";
  for (std::size_t i = 0; i < kMaxNodes; ++i) many += "1,";
  EXPECT_THAT(errorOf(many + "]"), HasSubstr("at most 250000 values"));
  EXPECT_THAT(errorOf("a: " + std::string(4097, 'x')), HasSubstr("at most 4096 bytes"));
  EXPECT_EQ(errorOf("a: " + std::string(4096, 'x')), "");
}

}  // namespace
}  // namespace l4ward::config
