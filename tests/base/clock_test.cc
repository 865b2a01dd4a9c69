#include "base/clock.h"

#include <gtest/gtest.h>

namespace l4ward {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ReadsEveryUnit) {
  EXPECT_EQ(parseDuration("0s").value(), 0ms);
  EXPECT_EQ(parseDuration("500ms").value(), 500ms);
  EXPECT_EQ(parseDuration("2s").value(), 2s);
  EXPECT_EQ(parseDuration("5m").value(), 5min);
  EXPECT_EQ(parseDuration("1h").value(), 1h);
  EXPECT_EQ(parseDuration("8760h").value(), 8760h);
}

TEST(Duration, RefusesEverythingElse) {
  for (const auto* bad :
       {"", "s", "2", "-2s", "-0s", "+2s", "2 s", " 2s", "2s ", "1.5s", "2S", "2sec", "1m30s",
        "0x2s", "1d", "1e3s", "8761h", "9223372036854775807h", "99999999999999999999s"}) {
    const auto duration = parseDuration(bad);
    ASSERT_FALSE(duration) << bad;
    EXPECT_NE(duration.error().message.find(bad), std::string::npos) << bad;
  }
}

TEST(Duration, WritesTheShortestTextThatReadsBack) {
  EXPECT_EQ(formatDuration(0ms), "0s");
  EXPECT_EQ(formatDuration(1500ms), "1500ms");
  EXPECT_EQ(formatDuration(2000ms), "2s");
  EXPECT_EQ(formatDuration(90s), "90s");
  EXPECT_EQ(formatDuration(300s), "5m");
  EXPECT_EQ(formatDuration(7200s), "2h");
  for (const Millis duration : {1ms, 999ms, 60001ms, 61000ms, 3600000ms}) {
    EXPECT_EQ(parseDuration(formatDuration(duration)).value(), duration);
  }
}

}  // namespace
}  // namespace l4ward
