#include "bgp/record.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/bgp/relay_world.h"

namespace l4ward::bgp::testing {
namespace {

RelayRecord example() {
  RelayRecord record{"12:34", routes(4), Millis(5000), TimePoint{} + Millis(987654321), {}, {}};
  record.standing = routes(3);
  record.doubtful = routes(1, "192.0.2.9");
  return record;
}

TEST(RecordTest, ComesBack) {
  EXPECT_EQ(decodeRecord(encodeRecord(example())).value(), example());
  RelayRecord undecided = example();
  undecided.wanted.reset();
  EXPECT_EQ(decodeRecord(encodeRecord(undecided)).value(), undecided);
}

TEST(RecordTest, SaysTheSameRoutesOnce) {
  RelayRecord record = example();
  record.wanted = routes(1000);
  record.standing = routes(999);
  const std::size_t twice = encodeRecord(record).size();
  record.standing = routes(1000);
  EXPECT_LT(encodeRecord(record).size(), twice * 6 / 10);
  EXPECT_EQ(decodeRecord(encodeRecord(record)).value(), record);
  EXPECT_FALSE(decodeRecord(
      R"({"version":1,"instance":"","hold_ms":1,"heard_ms":1,"doubtful":[],"standing":"wanted"})"));
}

TEST(RecordTest, DamageIsAnError) {
  const std::string whole = encodeRecord(example());
  for (std::size_t size = 0; size + 2 < whole.size(); ++size) {
    EXPECT_FALSE(decodeRecord(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(decodeRecord(R"({"version": 2})"));
}

TEST(RecordTest, TakesAnyBytes) {
  std::mt19937 random(5);
  const std::string seed = encodeRecord(example());
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = seed;
    for (unsigned j = random() % 4; j > 0; --j) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    (void)decodeRecord(bytes);
  }
}

}  // namespace
}  // namespace l4ward::bgp::testing
