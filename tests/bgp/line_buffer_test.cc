#include "bgp/line_buffer.h"

#include <gtest/gtest.h>

#include <vector>

namespace l4ward::bgp {
namespace {

std::vector<std::string> linesOf(LineBuffer& buffer) {
  std::vector<std::string> lines;
  while (auto line = buffer.next()) lines.push_back(*line);
  return lines;
}

TEST(LineBufferTest, JoinsPieces) {
  LineBuffer buffer(100);
  buffer.feed("do");
  EXPECT_FALSE(buffer.next());
  buffer.feed("ne\nerr");
  buffer.feed("or\r\n\nx");
  EXPECT_EQ(linesOf(buffer), (std::vector<std::string>{"done", "error", ""}));
  buffer.feed("\n");
  EXPECT_EQ(linesOf(buffer), std::vector<std::string>{"x"});
}

TEST(LineBufferTest, DropsLongLinesWhole) {
  LineBuffer buffer(4);
  buffer.feed("12345\nabcd\n");
  EXPECT_EQ(linesOf(buffer), std::vector<std::string>{"abcd"});
  for (int i = 0; i < 1000; ++i) {
    buffer.feed("xxxx");
    EXPECT_FALSE(buffer.next());
  }
  buffer.feed("xx\nok\n");
  EXPECT_EQ(linesOf(buffer), std::vector<std::string>{"ok"});
  EXPECT_EQ(buffer.overlong(), 2U);
}

TEST(LineBufferTest, EveryCutGivesTheSameLines) {
  const std::string text = "one\ntwo\n\nthree four\r\nfive\n";
  for (std::size_t a = 0; a <= text.size(); ++a) {
    for (std::size_t b = a; b <= text.size(); ++b) {
      LineBuffer buffer(100);
      std::vector<std::string> lines;
      for (const auto& piece : {text.substr(0, a), text.substr(a, b - a), text.substr(b)}) {
        buffer.feed(piece);
        for (auto& line : linesOf(buffer)) lines.push_back(line);
      }
      EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "", "three four", "five"}));
    }
  }
}

}  // namespace
}  // namespace l4ward::bgp
