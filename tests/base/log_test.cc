#include "base/log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

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

class LogListener : public testing::Test {
 protected:
  ~LogListener() override {
    setListener(nullptr);
    setLevel(Level::info);
  }
};

TEST_F(LogListener, HearsWhatIsLoggedFromInfoOn) {
  std::vector<std::string> heard;
  setListener([&](Level level, std::string_view id, Fields fields, double at) {
    EXPECT_GT(at, 1.7e9);
    heard.push_back(std::string(toString(level)) + " " + format(id, fields));
  });
  setLevel(Level::error);  // is about standard error
  debug("a.debug");
  info("an.info", {{"n", 1}});
  warning("a.warning");
  setListener(nullptr);
  info("not.heard");
  EXPECT_EQ(heard, (std::vector<std::string>{"info an.info n=1", "warning a.warning"}));
}

}  // namespace
}  // namespace l4ward::log
