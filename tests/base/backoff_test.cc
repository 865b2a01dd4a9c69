#include "base/backoff.h"

#include <gtest/gtest.h>

namespace l4ward {
namespace {

TEST(Backoff, DoublesUpToTheLimit) {
  Backoff backoff(Millis(100), Millis(350));
  EXPECT_EQ(backoff.next(), Millis(100));
  EXPECT_EQ(backoff.next(), Millis(200));
  EXPECT_EQ(backoff.next(), Millis(350));
  EXPECT_EQ(backoff.next(), Millis(350));
}

TEST(Backoff, BeginsAgainAfterReset) {
  Backoff backoff(Millis(100), Millis(1000));
  backoff.next();
  backoff.next();
  backoff.reset();
  EXPECT_EQ(backoff.next(), Millis(100));
  EXPECT_EQ(backoff.next(), Millis(200));
}

TEST(Backoff, MayBeConstant) {
  Backoff backoff(Millis(5), Millis(5));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(backoff.next(), Millis(5));
}

}  // namespace
}  // namespace l4ward
