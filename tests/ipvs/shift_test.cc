#include "ipvs/shift.h"

#include <gmock/gmock.h>

#include <cmath>
#include <random>

#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

constexpr auto kBoth = kFlagMhFallback | kFlagMhPort;
constexpr unsigned kSample = 100000;

using Servers = std::vector<MaglevServer>;

Servers servers(unsigned n) {
  Servers result;
  for (unsigned i = 1; i <= n; ++i) result.push_back({server(i)});
  return result;
}

MaglevTable table(Servers list, std::size_t size = MaglevTable::kDefaultSize) {
  return {Family::v4, std::move(list), size};
}

FlowShift shift(const Servers& before, const Servers& after, std::uint32_t flags = kBoth) {
  return flowShift({table(before), flags}, {table(after), flags});
}

// The definition, applied to random flows one by one.
FlowShift sampled(const MaglevView& before, const MaglevView& after) {
  const auto find = [](const MaglevView& view, const Endpoint& address) {
    for (const auto& server : view.table.servers()) {
      if (server.address == address) return server;
    }
    return MaglevServer{address, 0, false};
  };
  FlowShift result;
  std::mt19937 random(1);
  std::uniform_int_distribution<std::uint32_t> bits;
  for (unsigned i = 0; i < kSample; ++i) {
    std::array<std::uint8_t, 4> bytes{};
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(bits(random));
    const Endpoint client{*IpAddress::fromBytes(bytes), static_cast<std::uint16_t>(bits(random))};
    const auto from = before.table.serverFor(client, before.flags);
    const auto to = after.table.serverFor(client, after.flags);
    if (from) result.servers[*from].before += 1.0 / kSample;
    if (to) result.servers[*to].after += 1.0 / kSample;
    if (from == to) continue;
    result.moved += 1.0 / kSample;
    if (!from || !to) continue;
    const auto fromBefore = find(before, *from), fromAfter = find(after, *from);
    const auto toBefore = find(before, *to), toAfter = find(after, *to);
    const bool needed = !fromAfter.available || fromAfter.lastWeight < fromBefore.lastWeight ||
                        !toBefore.available || toAfter.lastWeight > toBefore.lastWeight;
    if (!needed) result.needless += 1.0 / kSample;
  }
  return result;
}

// Five standard deviations of a sampled share, and what flowShift() claims.
double tolerance(double share) {
  return 5 * std::sqrt(share * (1 - share) / kSample) + 1e-4;
}

void expectAsSampled(const MaglevView& before, const MaglevView& after) {
  const auto computed = flowShift(before, after);
  const auto counted = sampled(before, after);
  EXPECT_NEAR(computed.moved, counted.moved, tolerance(computed.moved));
  EXPECT_NEAR(computed.needless, counted.needless, tolerance(computed.needless));
  for (const auto& [address, share] : computed.servers) {
    const auto found = counted.servers.find(address);
    const auto other = found == counted.servers.end() ? ServerShare{} : found->second;
    EXPECT_NEAR(share.before, other.before, tolerance(share.before)) << address.str();
    EXPECT_NEAR(share.after, other.after, tolerance(share.after)) << address.str();
  }
}

double slotsOf(const MaglevTable& of, std::uint32_t number) {
  return static_cast<double>(std::ranges::count(of.slots(), number)) /
         static_cast<double>(of.slots().size());
}

TEST(FlowShift, NothingChangesNothingMoves) {
  auto list = servers(20);
  list[4].available = false;
  for (const auto flags : {0U, kFlagMhPort, kFlagMhFallback, kBoth}) {
    const auto result = shift(list, list, flags);
    EXPECT_NEAR(result.moved, 0, 1e-12);
    EXPECT_NEAR(result.needless, 0, 1e-12);
  }
}

TEST(FlowShift, AServerThatGoesOutMovesItsOwnFlowsOnly) {
  auto list = servers(20);
  list[4].available = false;
  const double own = slotsOf(table(servers(20)), 4);
  for (const auto flags : {kFlagMhPort, kBoth}) {
    const auto result = shift(servers(20), list, flags);
    EXPECT_NEAR(result.moved, own, 1e-9);
    EXPECT_NEAR(result.needless, 0, 1e-12);
    EXPECT_NEAR(result.servers.at(server(5)).before, own, 1e-9);
    EXPECT_NEAR(result.servers.at(server(5)).after, 0, 1e-12);
    const auto back = shift(list, servers(20), flags);
    EXPECT_NEAR(back.moved, own, 1e-9);
    EXPECT_NEAR(back.needless, 0, 1e-12);
  }
}

// docs: deleting one of 20 moves about 1 % of innocent flows besides its own.
TEST(FlowShift, DeletingAServerMovesInnocentFlows) {
  auto list = servers(20);
  list.erase(list.begin() + 4);
  const auto result = shift(servers(20), list);
  EXPECT_GT(result.needless, 0.003);
  EXPECT_LT(result.needless, 0.03);
  EXPECT_NEAR(result.moved, result.needless + slotsOf(table(servers(20)), 4), 1e-9);
}

TEST(FlowShift, AnotherOrderIsAllNeedless) {
  auto list = servers(100);
  std::ranges::reverse(list);
  const auto result = shift(servers(100), list);
  EXPECT_GT(result.moved, 0.02);
  EXPECT_DOUBLE_EQ(result.moved, result.needless);
}

TEST(FlowShift, FromAndToNothing) {
  auto none = servers(3);
  for (auto& server : none) server.available = false;
  for (const auto& empty : {Servers{}, none}) {
    for (const auto flags : {0U, kBoth}) {
      EXPECT_NEAR(shift(servers(3), empty, flags).moved, 1, 1e-9);
      EXPECT_NEAR(shift(empty, servers(3), flags).moved, 1, 1e-9);
      EXPECT_NEAR(shift(empty, servers(3), flags).needless, 0, 1e-12);
      EXPECT_NEAR(shift(empty, none, flags).moved, 0, 1e-9);
      EXPECT_NEAR(shift(empty, {}, flags).moved, 0, 1e-9);
    }
  }
}

TEST(FlowShift, WeightsThatChange) {
  auto list = servers(20);
  list[4].lastWeight = 3;
  expectAsSampled({table(servers(20)), kBoth}, {table(list), kBoth});
  expectAsSampled({table(list), kBoth}, {table(servers(20)), kBoth});
}

TEST(FlowShift, ManyServersOut) {
  auto before = servers(20);
  auto after = servers(22);
  for (unsigned i = 0; i < 9; ++i) before[i].available = false;
  for (unsigned i = 5; i < 17; ++i) after[i].available = false;
  after[3].lastWeight = 2;
  after[18].lastWeight = 4;
  for (const auto flags : {0U, kFlagMhPort, kFlagMhFallback, kBoth}) {
    expectAsSampled({table(before), flags}, {table(after), flags});
  }
}

TEST(FlowShift, FlagsThatChange) {
  auto before = servers(10);
  auto after = servers(11);
  for (unsigned i = 0; i < 4; ++i) before[i].available = false;
  for (unsigned i = 2; i < 8; ++i) after[i].available = false;
  for (const auto from : {0U, kFlagMhPort, kFlagMhFallback, kBoth}) {
    for (const auto to : {0U, kFlagMhPort, kFlagMhFallback, kBoth}) {
      SCOPED_TRACE(std::to_string(from) + " to " + std::to_string(to));
      expectAsSampled({table(before), from}, {table(after), to});
    }
  }
}

// When almost nobody is left, the fallback's tries end before it finds him.
TEST(FlowShift, OneOfManyIsLeft) {
  auto list = servers(100);
  for (auto& server : list) server.available = server.address == l4ward::ipvs::server(50);
  const auto before = table(servers(100), 251);
  const auto after = table(list, 251);
  const double left = slotsOf(after, 49);
  const auto result = flowShift({before, kBoth}, {after, kBoth});
  const double refused = 1 - result.servers.at(server(50)).after;
  EXPECT_NEAR(refused, std::pow(1 - left, 252), 1e-9);
  EXPECT_GT(refused, 0.01);
  expectAsSampled({before, kBoth}, {after, kBoth});
  expectAsSampled({after, kBoth}, {before, kBoth});
}

TEST(FlowShift, TheLastButOneOfManyGoes) {
  auto before = servers(100);
  for (auto& each : before)
    each.available = each.address == server(50) || each.address == server(9);
  auto after = before;
  after[8].available = false;
  expectAsSampled({table(before, 251), kBoth}, {table(after, 251), kBoth});
  expectAsSampled({table(after, 251), kBoth}, {table(before, 251), kBoth});
}

TEST(FlowShift, AnotherTableSize) {
  expectAsSampled({table(servers(10), 251), kBoth}, {table(servers(10), 4093), kBoth});
}

TEST(FlowShift, SharesAddUp) {
  auto list = servers(30);
  for (unsigned i = 3; i < 20; ++i) list[i].available = false;
  const auto result = shift(servers(25), list);
  double before = 0, after = 0;
  for (const auto& [address, share] : result.servers) {
    before += share.before;
    after += share.after;
  }
  EXPECT_NEAR(before, 1, 1e-9);
  EXPECT_NEAR(after, 1, 1e-9);
  EXPECT_EQ(result.servers.size(), 30U);
}

}  // namespace
}  // namespace l4ward::ipvs
