#include "ipvs/maglev.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <set>
#include <stdexcept>

#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

using testing::Each;
using testing::IsEmpty;

constexpr auto kBoth = kFlagMhFallback | kFlagMhPort;

std::vector<MaglevServer> servers(unsigned n) {
  std::vector<MaglevServer> result;
  for (unsigned i = 1; i <= n; ++i) result.push_back({server(i)});
  return result;
}

std::map<std::uint32_t, unsigned> shares(const MaglevTable& table) {
  std::map<std::uint32_t, unsigned> counts;
  for (const auto slot : table.slots()) ++counts[slot];
  return counts;
}

TEST(Maglev, EmptyWithoutServersOrWeights) {
  EXPECT_THAT(MaglevTable(Family::v4, {}).slots(), IsEmpty());
  const MaglevTable weightless(Family::v4, {{server(1), 0}, {server(2), 0}});
  EXPECT_THAT(weightless.slots(), IsEmpty());
  EXPECT_EQ(weightless.serverFor(endpoint("203.0.113.1:1"), kBoth), std::nullopt);
}

TEST(Maglev, OneServerHasAllSlots) {
  const MaglevTable table(Family::v4, servers(1));
  EXPECT_EQ(table.slots().size(), MaglevTable::kDefaultSize);
  EXPECT_THAT(table.slots(), Each(0U));
}

TEST(Maglev, SharesFollowLastWeights) {
  auto list = servers(3);
  list[0].lastWeight = 20;
  list[1].lastWeight = 10;
  list[2].lastWeight = 0;
  auto counts = shares(MaglevTable(Family::v4, list));
  EXPECT_EQ(counts.size(), 2U);
  EXPECT_NEAR(counts[0], 4093 * 2 / 3.0, 2);
  EXPECT_NEAR(counts[1], 4093 / 3.0, 2);
}

TEST(Maglev, WeightsAreCutToSixBits) {
  auto list = servers(2);
  list[0].lastWeight = 1000;  // by 1: 10 bits, so shifted by 4
  list[1].lastWeight = 1;     // 0 after the shift, but at least 1
  auto counts = shares(MaglevTable(Family::v4, list));
  EXPECT_NEAR(counts[1], 4093 / 63.0, 2);
}

// The bits are half of CONFIG_IP_VS_MH_TAB_INDEX (IP_VS_MH_TAB_BITS in ip_vs_mh.c).
TEST(Maglev, SizesAndTheirWeightBits) {
  const std::vector<std::pair<std::size_t, unsigned>> expected{
      {251, 4},  {509, 4},   {1021, 5},  {2039, 5},  {4093, 6},
      {8191, 6}, {16381, 7}, {32749, 7}, {65521, 8}, {131071, 8}};
  ASSERT_EQ(expected.size(), kMaglevSizes.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(kMaglevSizes[i], expected[i].first);
    EXPECT_EQ(maglevWeightBits(expected[i].first), expected[i].second);
    EXPECT_TRUE(isMaglevSize(expected[i].first));
  }
  for (const std::size_t size : {0U, 1U, 250U, 4094U, 131072U}) {
    EXPECT_FALSE(isMaglevSize(size));
    EXPECT_THROW(MaglevTable(Family::v4, servers(1), size), std::invalid_argument);
  }
}

TEST(Maglev, WeightsAreCutToTheBitsOfTheSize) {
  for (const auto size : kMaglevSizes) {
    auto list = servers(2);
    list[0].lastWeight = 0x7fffffff;  // all ones, also after the shift
    const MaglevTable table(Family::v4, list, size);
    ASSERT_EQ(table.slots().size(), size);
    const double turns = std::exp2(maglevWeightBits(size)) - 1;
    const auto counts = shares(table);
    EXPECT_NEAR(counts.at(1), static_cast<double>(size) / (turns + 1), 2) << size;
    EXPECT_NEAR(counts.at(0), static_cast<double>(size) * turns / (turns + 1), 2) << size;
  }
}

TEST(Maglev, EverySizeGivesEqualServersEqualShares) {
  for (const auto size : kMaglevSizes) {
    const MaglevTable table(Family::v4, servers(100), size);
    for (const auto& [server, count] : shares(table)) {
      EXPECT_NEAR(count, static_cast<double>(size) / 100, 1) << size;
    }
    EXPECT_EQ(shares(table).size(), 100U);
  }
}

TEST(Maglev, ACommonDivisorOfTheWeightsDoesNotMatter) {
  auto list = servers(30);
  for (std::uint32_t i = 0; i < list.size(); ++i) list[i].lastWeight = 1 + i % 5;
  const auto slots = MaglevTable(Family::v4, list).slots();
  for (auto& server : list) server.lastWeight *= 123456;
  EXPECT_EQ(MaglevTable(Family::v4, list).slots(), slots);
}

TEST(Maglev, AServerWithoutLastWeightChangesNothing) {
  const auto slots = MaglevTable(Family::v4, servers(9)).slots();
  auto list = servers(10);
  list[9].lastWeight = 0;
  list[9].available = false;
  EXPECT_EQ(MaglevTable(Family::v4, list).slots(), slots);
}

TEST(Maglev, NoMoreServersThanSlots) {
  const MaglevTable full(Family::v4, servers(251), 251);
  EXPECT_EQ(shares(full).size(), 251U);
  const MaglevTable tooMany(Family::v4, servers(252), 251);
  EXPECT_THAT(tooMany.slots(), IsEmpty());
  EXPECT_EQ(tooMany.size(), 251U);
  EXPECT_EQ(tooMany.serverFor(endpoint("203.0.113.1:1"), kBoth), std::nullopt);
}

TEST(Maglev, OrderMatters) {
  auto list = servers(100);
  const MaglevTable forward(Family::v4, list);
  std::reverse(list.begin(), list.end());
  const MaglevTable backward(Family::v4, list);
  unsigned different = 0;
  for (std::size_t i = 0; i < forward.slots().size(); ++i) {
    different += forward.servers()[forward.slots()[i]].address !=
                 backward.servers()[backward.slots()[i]].address;
  }
  EXPECT_GT(different, 100U);  // about 4 %
  EXPECT_LT(different, 300U);
}

TEST(Maglev, UnavailableServersFlowsAreHashedAgainOrRefused) {
  auto list = servers(5);
  list[2].available = false;
  const MaglevTable whole(Family::v4, servers(5));
  const MaglevTable table(Family::v4, list);
  for (std::uint16_t port = 1; port < 500; ++port) {
    const Endpoint client{endpoint("203.0.113.1:1").address, port};
    const auto usual = whole.serverFor(client, kBoth);
    const auto now = table.serverFor(client, kBoth);
    ASSERT_TRUE(now);
    ASSERT_NE(now, server(3));
    if (usual == server(3)) {
      ASSERT_EQ(table.serverFor(client, kFlagMhPort), std::nullopt);
    } else {
      ASSERT_EQ(now, usual);
    }
  }
}

TEST(Maglev, NoServerAvailable) {
  auto list = servers(2);
  for (auto& server : list) server.available = false;
  EXPECT_EQ(MaglevTable(Family::v4, list).serverFor(endpoint("203.0.113.1:1"), kBoth),
            std::nullopt);
}

TEST(Maglev, PortCountsWithItsFlagOnly) {
  const MaglevTable table(Family::v4, servers(50));
  const auto address = endpoint("203.0.113.1:1").address;
  std::set<std::optional<Endpoint>> with;
  std::set<std::optional<Endpoint>> without;
  for (std::uint16_t port = 1; port < 200; ++port) {
    with.insert(table.serverFor({address, port}, kBoth));
    without.insert(table.serverFor({address, port}, kFlagMhFallback));
  }
  EXPECT_GT(with.size(), 30U);
  EXPECT_EQ(without.size(), 1U);
}

// In an IPv4 service the kernel looks at the first 32 bits of an IPv6 server only.
TEST(Maglev, IPv6ServersOfOnePrefixCollideInAnIPv4Service) {
  std::vector<MaglevServer> list;
  for (const auto* text : {"[2001:db8::1]:80", "[2001:db8::2]:80", "[2001:db8::3]:80"}) {
    list.push_back({endpoint(text)});
  }
  const MaglevTable three(Family::v4, list);
  const MaglevTable two(Family::v4, {list[0], list[2]});
  unsigned moved = 0;
  for (std::size_t i = 0; i < three.slots().size(); ++i) {
    const auto& before = three.servers()[three.slots()[i]].address;
    const auto& after = two.servers()[two.slots()[i]].address;
    moved += before != list[1].address && before != after;
  }
  EXPECT_GT(moved, 1000U) << "deleting a server of such a pool moves innocent flows";
}

}  // namespace
}  // namespace l4ward::ipvs
