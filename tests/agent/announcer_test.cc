#include "agent/announcer.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/agent/fixture.h"

namespace l4ward::agent {
namespace {

class AnnouncerTest : public testing::Test {
 protected:
  AnnouncerTest() {
    config::Neighbor neighbor;
    neighbor.peerAs = 65000;
    neighbor.localAddress = neighbor.nextHop = ip("192.0.2.11");
    for (const char* address : {"192.0.2.1", "192.0.2.2"}) {
      neighbor.address = ip(address);
      policy.neighbors.push_back(neighbor);
    }
    policy.localAs = 65001;
    for (const auto& vip : vips) services[vip] = {{"web"}, {}};
    announcer.setPolicy(policy, services);
  }
  void update(const std::map<Prefix, Decision>& decisions) {
    announcer.update(decisions, [](const auto&) { return "test"; });
  }
  void worsen(const std::map<Prefix, Decision>& decisions) {
    announcer.worsen(decisions, [](const auto&) { return "test"; });
  }
  // By neighbor of the first VIP.
  std::vector<std::optional<std::uint32_t>> meds(const Prefix& vip) const {
    std::vector<std::optional<std::uint32_t>> out;
    for (const auto& [key, attributes] : published) {
      if (key.prefix == vip) out.push_back(attributes.med);
    }
    return out;
  }

  const std::vector<Prefix> vips{host("198.51.100.1"), host("198.51.100.2"), host("198.51.100.3")};
  config::Bgp policy;
  std::map<Prefix, VipServices> services;
  bgp::RouteSet published;
  std::uint64_t generation = 0;
  int calls = 0;
  Announcer announcer{[this](const bgp::RouteSet& routes) {
    ++calls;
    if (routes != published || generation == 0) ++generation;
    published = routes;
    return generation;
  }};
};

using enum Decision;
using Meds = std::vector<std::optional<std::uint32_t>>;
constexpr std::uint32_t kLast = 4294967294;

TEST_F(AnnouncerTest, SaysNothingBeforeTheRelayWasHeard) {
  update({{vips[0], announce}});
  EXPECT_EQ(calls, 0);
  EXPECT_TRUE(announcer.relayConnected({}));
  EXPECT_FALSE(announcer.relayConnected({{{ip("192.0.2.1"), vips[1]}, {}}}));  // knows better
  update({{vips[0], announce}});
  EXPECT_EQ(published.size(), 2U);
  EXPECT_FALSE(announcer.isAnnounced(vips[1]));
}

TEST_F(AnnouncerTest, TheRelayHearsOfTheFirstDecisionsWhateverTheyAre) {
  announcer.relayConnected({});
  update({{vips[0], keep}});
  EXPECT_EQ(calls, 1);
  update({{vips[0], keep}});
  EXPECT_EQ(calls, 1);
}

TEST_F(AnnouncerTest, WhatHasBeenDecidedBeforeIsNotPublishedAgain) {
  announcer.relayConnected({});
  update({{vips[0], announce}, {vips[1], withdraw}});
  for (int i = 0; i < 3; ++i) {
    worsen({{vips[0], announce}, {vips[1], withdraw}});
    update({{vips[0], announce}, {vips[1], withdraw}});
    update({{vips[0], keep}, {vips[1], keep}});
  }
  EXPECT_EQ(calls, 1);
}

TEST_F(AnnouncerTest, AVipWithoutADecisionIsWithdrawn) {
  announcer.relayConnected({{{ip("192.0.2.1"), vips[2]}, {}}});
  update({{vips[1], announce}});
  EXPECT_EQ(meds(vips[2]).size(), 0U);
  update({{vips[0], announce}});
  EXPECT_TRUE(announcer.isAnnounced(vips[0]));
  EXPECT_FALSE(announcer.isAnnounced(vips[1]));
  update({});
  EXPECT_TRUE(published.empty());
  EXPECT_FALSE(announcer.announcesAny());
}

TEST_F(AnnouncerTest, FromBestToLastResortAndBack) {
  announcer.relayConnected({});
  update({{vips[0], demote}});
  EXPECT_TRUE(published.empty());
  update({{vips[0], depreference}});
  EXPECT_EQ(meds(vips[0]), (Meds{kLast, kLast}));
  update({{vips[0], announce}});
  EXPECT_EQ(meds(vips[0]), (Meds{{}, {}}));
  update({{vips[0], demote}});
  EXPECT_EQ(meds(vips[0]), (Meds{kLast, kLast}));
  update({{vips[0], withdraw}});
  update({{vips[0], demote}});
  EXPECT_TRUE(published.empty());
}

TEST_F(AnnouncerTest, WorseningMakesNothingBetter) {
  announcer.relayConnected({});
  update({{vips[0], announce}, {vips[1], depreference}});
  worsen({{vips[0], depreference}, {vips[1], announce}, {vips[2], depreference}});
  EXPECT_EQ(meds(vips[0]), (Meds{kLast, kLast}));
  EXPECT_EQ(meds(vips[1]), (Meds{kLast, kLast}));
  EXPECT_EQ(meds(vips[2]), Meds{});
  worsen({{vips[0], withdraw}, {vips[1], demote}, {vips[2], announce}});
  EXPECT_EQ(meds(vips[0]), Meds{});
  EXPECT_EQ(meds(vips[1]), (Meds{kLast, kLast}));
  EXPECT_EQ(meds(vips[2]), Meds{});
  update({{vips[0], withdraw}, {vips[1], announce}, {vips[2], announce}});
  EXPECT_EQ(meds(vips[1]), (Meds{{}, {}}));
  EXPECT_EQ(meds(vips[2]), (Meds{{}, {}}));
}

TEST_F(AnnouncerTest, IsWithdrawnOnlyWhenExabgpHasSaidSo) {
  announcer.relayConnected({});
  update({{vips[0], announce}});
  EXPECT_FALSE(announcer.isWithdrawn(vips[0]));
  EXPECT_TRUE(announcer.isWithdrawn(vips[1]));
  update({{vips[0], withdraw}});
  EXPECT_FALSE(announcer.isWithdrawn(vips[0]));
  EXPECT_FALSE(announcer.isSynced());
  announcer.synced(generation);
  EXPECT_TRUE(announcer.isWithdrawn(vips[0]));
  EXPECT_TRUE(announcer.isSynced());
}

TEST_F(AnnouncerTest, ANewPolicyReachesWhatStands) {
  announcer.relayConnected({});
  update({{vips[0], announce}, {vips[1], announce}});
  policy.routes.med = 7;
  policy.neighbors.pop_back();
  announcer.setPolicy(policy, services);
  worsen({{vips[0], announce}, {vips[1], keep}});
  EXPECT_EQ(meds(vips[0]), (Meds{{}}));  // the neighbor that went
  update({{vips[0], announce}, {vips[1], keep}});
  EXPECT_EQ(meds(vips[0]), (Meds{7}));
  EXPECT_EQ(meds(vips[1]), (Meds{{}}));
}

TEST_F(AnnouncerTest, WithoutAPolicyEverythingIsWithdrawn) {
  announcer.relayConnected({});
  update({{vips[0], announce}});
  announcer.setPolicy(std::nullopt, {});
  EXPECT_TRUE(published.empty());
  announcer.setPolicy(policy, services);
  update({{vips[0], announce}});
  EXPECT_EQ(published.size(), 2U);
}

TEST_F(AnnouncerTest, DrainingTellsOfWhatStandsAndAnnouncesNothingNew) {
  announcer.relayConnected({});
  update({{vips[0], announce}, {vips[1], depreference}, {vips[2], keep}});
  announcer.setDraining();
  update({{vips[0], announce}, {vips[1], announce}, {vips[2], announce}});
  const auto& draining = published.at({ip("192.0.2.1"), vips[0]});
  EXPECT_EQ(draining.communities, std::vector<std::string>{"65535:0"});
  EXPECT_FALSE(announcer.isAnnounced(vips[2]));
  update({{vips[0], withdraw}, {vips[1], announce}, {vips[2], announce}});
  EXPECT_FALSE(announcer.isAnnounced(vips[0]));
  update({{vips[0], announce}, {vips[1], announce}, {vips[2], announce}});
  EXPECT_FALSE(announcer.isAnnounced(vips[0]));
  announcer.withdrawAll();
  EXPECT_TRUE(published.empty());
}

TEST_F(AnnouncerTest, WhatPeopleDrainSaysSoAtOnceAndComesBack) {
  announcer.relayConnected({});
  const std::map<Prefix, Decision> all{{vips[0], announce}, {vips[1], announce}};
  const auto communities = [&](const Prefix& vip) {
    return published.at({ip("192.0.2.1"), vip}).communities;
  };
  update({{vips[0], announce}, {vips[1], withdraw}});
  announcer.setDrained({vips[0], vips[1]});
  worsen(all);
  EXPECT_EQ(announcer.standing(vips[0]), Standing::draining);
  EXPECT_EQ(communities(vips[0]), std::vector<std::string>{"65535:0"});
  EXPECT_EQ(announcer.standing(vips[1]), std::nullopt);
  update(all);
  EXPECT_EQ(communities(vips[1]), std::vector<std::string>{"65535:0"});
  const auto before = calls;
  announcer.setDrained({vips[0], vips[1]});
  worsen(all);
  update(all);
  EXPECT_EQ(calls, before);  // no news
  announcer.setDrained({});
  worsen(all);
  EXPECT_EQ(announcer.standing(vips[0]), Standing::draining);
  update(all);
  EXPECT_EQ(announcer.standing(vips[0]), Standing::normal);
  EXPECT_TRUE(communities(vips[0]).empty());
}

// Only what is new is looked at: that must end in what looking at all would give.
TEST_F(AnnouncerTest, ManyDecisionsEndInWhatThePolicySaysOfThem) {
  std::mt19937 random(7);
  announcer.relayConnected({});
  bgp::RouteSet expected;
  Leaving leaving;
  constexpr Decision kAll[] = {announce, depreference, demote, keep, withdraw};
  for (int i = 0; i < 2000; ++i) {
    std::map<Prefix, Decision> decisions;
    for (const auto& vip : vips) {
      if (random() % 8 != 0) decisions[vip] = kAll[random() % 5];
    }
    if (random() % 50 == 0) {
      policy.routes.med = random() % 100;
      announcer.setPolicy(policy, services);
    }
    if (random() % 20 == 0) {
      leaving.vips = {vips[random() % vips.size()]};
      announcer.setDrained(leaving.vips);
    }
    update(decisions);
    expected = wantedRoutes(decisions, policy, services, expected, leaving);
    ASSERT_EQ(published, expected) << i;
    for (const auto& vip : vips) ASSERT_EQ(announcer.isAnnounced(vip), !meds(vip).empty());
  }
}

}  // namespace
}  // namespace l4ward::agent
