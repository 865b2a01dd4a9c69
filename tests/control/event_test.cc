#include "control/event.h"

#include <gtest/gtest.h>

namespace l4ward::control {
namespace {

std::vector<std::uint64_t> numbers(const std::vector<Event>& events) {
  std::vector<std::uint64_t> found;
  for (const auto& event : events) found.push_back(event.number);
  return found;
}

TEST(EventRing, KeepsTheLastOnesInOrder) {
  EventRing ring(3);
  EXPECT_EQ(ring.last(), 0U);
  EXPECT_TRUE(ring.after(0).empty());
  for (int i = 0; i < 5; ++i) ring.add({});
  EXPECT_EQ(ring.last(), 5U);
  EXPECT_EQ(numbers(ring.after(0)), (std::vector<std::uint64_t>{3, 4, 5}));
  EXPECT_EQ(numbers(ring.after(4)), (std::vector<std::uint64_t>{5}));
  EXPECT_TRUE(ring.after(5).empty());
}

// Whoever knows number 900 of the agent before this one has missed all of this one's.
TEST(EventRing, ANumberOfAnEarlierAgentGetsAll) {
  EventRing ring;
  ring.add({});
  EXPECT_EQ(numbers(ring.after(900)), (std::vector<std::uint64_t>{1}));
}

}  // namespace
}  // namespace l4ward::control
