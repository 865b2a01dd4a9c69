#include "agent/gate.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/agent/fixture.h"

namespace l4ward::agent {
namespace {

class GateTest : public testing::Test {
 protected:
  // What becomes of `decision` for the VIP, which is announced as the gate lets it.
  Decision pass(Decision decision) {
    const auto passed = gate.pass(
        {{vip, decision}}, [&](const Prefix& asked) { return announced.contains(asked); }, now);
    const auto out = passed.at(vip);
    if (out == Decision::announce || out == Decision::depreference) announced.insert(vip);
    if (out == Decision::withdraw) announced.erase(vip);
    return out;
  }
  // Comes and goes, a second apart.
  void flap(int times) {
    for (int i = 0; i < times; ++i) {
      pass(Decision::announce);
      now += Millis(1000);
      pass(Decision::withdraw);
    }
  }
  // How long an announcement has to wait from now on; nothing: it is let through.
  std::optional<Millis> wait() {
    if (pass(Decision::announce) == Decision::announce) return std::nullopt;
    return std::chrono::duration_cast<Millis>(*gate.nextDue() - now);
  }

  const Prefix vip = host("198.51.100.1");
  Gate gate;
  std::set<Prefix> announced;
  TimePoint now{std::chrono::hours(1)};
};

TEST_F(GateTest, IsOpenByItself) {
  for (const auto decision : {Decision::announce, Decision::depreference, Decision::demote,
                              Decision::keep, Decision::withdraw}) {
    EXPECT_EQ(pass(decision), decision);
    EXPECT_EQ(gate.nextDue(), std::nullopt);
  }
}

TEST_F(GateTest, ANewVipMustHaveBeenFitForAWhileWithoutInterruption) {
  gate.configure(Millis(5000), {});
  EXPECT_EQ(wait(), Millis(5000));
  now += Millis(4000);
  EXPECT_EQ(pass(Decision::depreference), Decision::keep);  // fit as well
  EXPECT_EQ(wait(), Millis(1000));
  for (const auto interruption : {Decision::keep, Decision::demote, Decision::withdraw}) {
    EXPECT_EQ(pass(interruption), interruption);
    EXPECT_EQ(wait(), Millis(5000));
    now += Millis(4999);
    EXPECT_EQ(wait(), Millis(1));
  }
  now += Millis(1);
  EXPECT_EQ(pass(Decision::announce), Decision::announce);
  EXPECT_EQ(gate.nextDue(), std::nullopt);
}

TEST_F(GateTest, WhatIsAnnouncedIsNeverHeldBack) {
  gate.configure(Millis(5000), {2, Millis(60000), Millis(10000), Millis(300000)});
  gate.closeUntil(now + Millis(10000));
  announced.insert(vip);
  EXPECT_EQ(pass(Decision::depreference), Decision::depreference);
  EXPECT_EQ(pass(Decision::announce), Decision::announce);
}

TEST_F(GateTest, IsClosedForAWhileAfterAStart) {
  gate.closeUntil(now + Millis(3000));
  EXPECT_EQ(wait(), Millis(3000));
  now += Millis(3000);
  EXPECT_EQ(wait(), std::nullopt);
}

TEST_F(GateTest, TheLongestWaitCounts) {
  gate.configure(Millis(5000), {});
  gate.closeUntil(now + Millis(3000));
  EXPECT_EQ(wait(), Millis(5000));
}

TEST_F(GateTest, ComingAndGoingTooOftenIsHeldDownLongerEachTime) {
  gate.configure(Millis(0), {3, Millis(60000), Millis(10000), Millis(30000)});
  flap(2);
  EXPECT_EQ(wait(), std::nullopt);
  pass(Decision::withdraw);  // the third
  EXPECT_EQ(wait(), Millis(10000));
  ASSERT_EQ(gate.held(now).size(), 1U);
  EXPECT_EQ(gate.held(now)[0].vip, vip);
  EXPECT_EQ(gate.held(now)[0].until, now + Millis(10000));
  EXPECT_EQ(gate.held(now)[0].withdrawals, 3U);
  now += Millis(10000);
  EXPECT_TRUE(gate.held(now).empty());
  flap(1);  // still three within a minute
  EXPECT_EQ(wait(), Millis(20000));
  now += Millis(20000);
  flap(1);
  EXPECT_EQ(wait(), Millis(30000));  // and not 40
}

TEST_F(GateTest, WithdrawalsThatAreOldDoNotCount) {
  gate.configure(Millis(0), {3, Millis(60000), Millis(10000), Millis(300000)});
  for (int i = 0; i < 10; ++i) {
    flap(1);
    now += Millis(29000);
    EXPECT_EQ(wait(), std::nullopt);
  }
}

TEST_F(GateTest, AQuietWhileMakesItForget) {
  gate.configure(Millis(0), {2, Millis(60000), Millis(10000), Millis(300000)});
  flap(2);
  EXPECT_EQ(wait(), Millis(10000));
  now += Millis(10000 + 60000);
  EXPECT_EQ(wait(), std::nullopt);
  flap(1);
  EXPECT_EQ(wait(), std::nullopt);
  now += Millis(1000);
  pass(Decision::withdraw);
  EXPECT_EQ(wait(), Millis(10000));
}

TEST_F(GateTest, HoldsDownOnlyTheOneThatFlaps) {
  gate.configure(Millis(0), {2, Millis(60000), Millis(10000), Millis(300000)});
  const auto isAnnounced = [&](const Prefix& asked) { return announced.contains(asked); };
  const auto other = host("198.51.100.2");
  for (int i = 0; i < 2; ++i) {
    announced = {vip};
    gate.pass({{vip, Decision::withdraw}, {other, Decision::withdraw}}, isAnnounced, now);
    announced = {};
  }
  const auto passed =
      gate.pass({{vip, Decision::announce}, {other, Decision::announce}}, isAnnounced, now);
  EXPECT_EQ(passed.at(vip), Decision::keep);
  EXPECT_EQ(passed.at(other), Decision::announce);
}

TEST_F(GateTest, ARepeatedWordToWithdrawIsOneWithdrawal) {
  gate.configure(Millis(0), {2, Millis(60000), Millis(10000), Millis(300000)});
  flap(1);
  for (int i = 0; i < 10; ++i) pass(Decision::withdraw);
  EXPECT_EQ(wait(), std::nullopt);
}

TEST_F(GateTest, WithoutDampingNothingIsHeldDownAnyMore) {
  gate.configure(Millis(0), {2, Millis(60000), Millis(10000), Millis(300000)});
  flap(2);
  EXPECT_EQ(wait(), Millis(10000));
  gate.configure(Millis(0), {});
  EXPECT_EQ(wait(), std::nullopt);
}

}  // namespace
}  // namespace l4ward::agent
