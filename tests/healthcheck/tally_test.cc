#include "healthcheck/tally.h"

#include <gtest/gtest.h>

#include <set>

namespace l4ward::healthcheck {
namespace {

TEST(Tally, EndingsHaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kEndings; ++i) names.insert(nameOfEnding(i));
  EXPECT_EQ(names.size(), kEndings);
  EXPECT_FALSE(names.contains("?"));
  EXPECT_EQ(nameOfEnding(endingOf(Answer::pass, FailureKind::none)), "pass");
  EXPECT_EQ(nameOfEnding(endingOf(Answer::localError, FailureKind::local)), "error");
  EXPECT_EQ(nameOfEnding(endingOf(Answer::fail, FailureKind::badStatus)), "bad-status");
}

TEST(Tally, ABucketHoldsItsBound) {
  SecondsHistogram histogram;
  histogram.add(0);
  histogram.add(0.001);
  histogram.add(0.0011);
  histogram.add(5);
  histogram.add(60);
  EXPECT_EQ(histogram.counts.front(), 2U);
  EXPECT_EQ(histogram.counts[1], 1U);
  EXPECT_EQ(histogram.counts[histogram.counts.size() - 2], 1U);
  EXPECT_EQ(histogram.counts.back(), 1U);
  EXPECT_DOUBLE_EQ(histogram.sum, 65.0021);
}

}  // namespace
}  // namespace l4ward::healthcheck
