#include "base/log.h"

#include <gtest/gtest.h>

#include <string>

namespace l4ward::log {
namespace {

TEST(LogFormat, PlainValuesStandWithoutQuotes) {
  EXPECT_EQ(format("server.down", {{"pool", "edge"}, {"weight", 3}, {"up", false}}),
            "server.down pool=edge weight=3 up=no");
  EXPECT_EQ(format("agent.start", {}), "agent.start");
}

TEST(LogFormat, QuotesWhatWouldBeAmbiguous) {
  EXPECT_EQ(format("e", {{"a", "status 503"}}), "e a=\"status 503\"");
  EXPECT_EQ(format("e", {{"a", ""}}), "e a=\"\"");
  EXPECT_EQ(format("e", {{"a", "b=c"}}), "e a=\"b=c\"");
  EXPECT_EQ(format("e", {{"a", "say \"x\\y\""}}), "e a=\"say \\\"x\\\\y\\\"\"");
}

TEST(LogFormat, ALineStaysALine) {
  const auto line = format("e", {{"a", std::string("x\ny\rz\0\x7f\xc3\xa9", 9)}});
  EXPECT_EQ(line, "e a=\"x\\ny\\u000dz\\u0000\\u007f\\u00c3\\u00a9\"");
}

}  // namespace
}  // namespace l4ward::log
