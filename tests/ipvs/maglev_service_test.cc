#include "ipvs/maglev_service.h"

#include <gmock/gmock.h>

#include "tests/ipvs/fake_kernel.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

const ServiceKey kWeb = tcp("198.51.100.1:80");
constexpr auto kSize = MaglevTable::kDefaultSize;

WantedService wantedPool() {
  auto service = pool(20);
  service.destinations[server(4)] = out(3);
  service.destinations[server(7)] = in(2);
  return service;
}

TEST(MaglevService, WhatIsWantedIsWhatTheKernelHasInTheEnd) {
  const WantedTable wanted{{kWeb, wantedPool()}};
  FakeKernel kernel;
  // Somebody's list in another order first.
  std::vector<Operation> before{{kWeb, AddService{}}};
  for (const unsigned number : {3U, 9U, 4U, 1U}) {
    before.push_back({kWeb, AddDestination{.address = server(number), .path = kIpip}});
  }
  kernel.apply(before);
  Node node{kernel};
  node.program(wanted);
  const auto table = maglevTable(kWeb, wanted.at(kWeb), kSize);
  ASSERT_TRUE(table);
  EXPECT_EQ(*table, kernel.maglev(kWeb));
  EXPECT_EQ(maglevTable(kWeb, kernel.dump()->at(kWeb), node.lastWeights, kSize), table);
}

TEST(MaglevService, NothingIfALastWeightIsNotKnown) {
  FakeKernel kernel;
  Node node{kernel};
  node.program({{kWeb, wantedPool()}});
  const auto actual = kernel.dump()->at(kWeb);
  EXPECT_EQ(maglevTable(kWeb, actual, {}, kSize), std::nullopt);
  EXPECT_EQ(maglevTable(kWeb, actual, {{{kWeb, server(5)}, 3}}, kSize), std::nullopt);
  EXPECT_EQ(maglevTable(kWeb, actual, {{{tcp("198.51.100.2:80"), server(4)}, 3}}, kSize),
            std::nullopt);
  EXPECT_NE(maglevTable(kWeb, actual, {{{kWeb, server(4)}, 3}}, kSize), std::nullopt);
}

TEST(MaglevService, NothingUnderOtherSchedulers) {
  WantedService wanted = wantedPool();
  wanted.config.scheduler = "rr";
  EXPECT_EQ(maglevTable(kWeb, wanted, kSize), std::nullopt);
  ActualService actual;
  actual.config.scheduler = "none";
  EXPECT_EQ(maglevTable(kWeb, actual, {}, kSize), std::nullopt);
}

TEST(MaglevService, NothingIfThereAreMoreServersThanSlots) {
  EXPECT_NE(maglevTable(kWeb, pool(251), 251), std::nullopt);
  EXPECT_EQ(maglevTable(kWeb, pool(252), 251), std::nullopt);
  ActualService actual;
  for (unsigned i = 1; i <= 252; ++i)
    actual.destinations.push_back({.address = server(i), .path = kIpip});
  EXPECT_EQ(maglevTable(kWeb, actual, {}, 251), std::nullopt);
  EXPECT_NE(maglevTable(kWeb, actual, {}, 509), std::nullopt);
}

TEST(MaglevService, WithoutServersTheTableIsEmpty) {
  const auto table = maglevTable(kWeb, WantedService{}, kSize);
  ASSERT_TRUE(table);
  EXPECT_THAT(table->slots(), testing::IsEmpty());
}

}  // namespace
}  // namespace l4ward::ipvs
