#include "ipvs/maglev.h"

#include <gmock/gmock.h>

#include <map>

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
