// Who is silent, who hangs, and what time says about it.
#include <gtest/gtest.h>

#include <utility>

#include "bgp/relay_state.h"
#include "tests/bgp/relay_world.h"

namespace l4ward::bgp::testing {
namespace {

using RelayLivenessTest = RelayWorldTest;

TEST_F(RelayLivenessTest, MissingAnswersAreAskedForAgain) {
  w.hold = RelayState::kAnswerTime * 2;
  standing(0);
  w.publish(routes(3));
  w.relay->step(w.now);  // the lines are lost
  w.now += RelayState::kAskTime;
  w.settle();
  w.pass(Millis(100));
  EXPECT_EQ(w.exabgp.rib, asRib(routes(3)));
  EXPECT_EQ(w.count<RelayError>(), 1);
  EXPECT_EQ(w.count<Stuck>(), 0) << "it does answer";
}

TEST_F(RelayLivenessTest, IdleExabgpIsAskedForASignOfLife) {
  standing(3);
  w.pass(RelayState::kAskTime * 4);
  EXPECT_GE(w.exabgp.lines, 3);
  EXPECT_LE(w.exabgp.lines, 4);
  EXPECT_EQ(w.exabgp.updates, 0);
  EXPECT_EQ(w.exabgp.endOfRib["192.0.2.1"], 1) << "a session that was up is no news";
  EXPECT_EQ(w.count<RelayError>(), 0);
}

TEST_F(RelayLivenessTest, ExabgpThatHangsWhenIdleIsReportedOnceInTime) {
  standing(3);
  w.exabgp.hangs = true;
  w.pass(RelayState::kAnswerTime);
  EXPECT_EQ(w.count<Stuck>(), 0);
  w.pass(RelayState::kAskTime);
  EXPECT_EQ(w.count<Stuck>(), 1);
  w.pass(RelayState::kBarrierTime - RelayState::kAnswerTime - Millis(1500));
  EXPECT_EQ(w.count<Stuck>(), 1);
  EXPECT_FALSE(w.quit);
  w.pass(Millis(1500));
  EXPECT_TRUE(w.quit) << "nobody started it again";
}

TEST_F(RelayLivenessTest, ExabgpThatHangsAtWorkIsReportedInTime) {
  standing(3);
  w.exabgp.hangs = true;
  w.publish(routes(6));
  w.pass(RelayState::kAnswerTime - Millis(1));
  EXPECT_EQ(w.count<Stuck>(), 0);
  w.pass(Millis(1));
  EXPECT_EQ(w.count<Stuck>(), 1);
  w.exabgp.hangs = false;  // it was only slow
  w.pass(Millis(100));
  EXPECT_EQ(w.exabgp.rib, asRib(routes(6)));
  EXPECT_TRUE(w.isSynced());
  w.exabgp.hangs = true;
  w.pass(RelayState::kAskTime + RelayState::kAnswerTime);
  EXPECT_EQ(w.count<Stuck>(), 2) << "another time it hangs";
}

TEST_F(RelayLivenessTest, AgentThatComesLaterIsToldOfTheHangingExabgp) {
  standing(3);
  w.disconnect();
  w.hold = Millis(60000);
  w.exabgp.hangs = true;
  w.pass(RelayState::kAskTime + RelayState::kAnswerTime);
  w.connect();
  w.step();
  EXPECT_EQ(w.count<Stuck>(), 1);
}

TEST_F(RelayLivenessTest, ExabgpThatNeverAnswersEndsTheRelay) {
  w.exabgp.hangs = true;
  w.connect();
  w.publish(routes(1));
  w.pass(RelayState::kBarrierTime - Millis(1));
  EXPECT_FALSE(w.quit);
  w.pass(Millis(1));
  EXPECT_TRUE(w.quit);
}

TEST_F(RelayLivenessTest, EveryHeartbeatIsAnswered) {
  w.connect();
  for (int i = 0; i < 3; ++i) w.relay->agentMessage(w.now, Alive{});
  w.settle();
  EXPECT_EQ(w.count<Pong>(), 3);
}

TEST_F(RelayLivenessTest, SleepIsNobodysSilence) {
  standing(5);
  w.now += w.hold * 3;
  w.relay->sleptUntil(w.now);
  w.step();
  EXPECT_FALSE(w.quit);
  EXPECT_EQ(w.count<Stuck>(), 0);
  w.pass(Millis(1000));  // the agent is heard again
  EXPECT_EQ(w.exabgp.updates, 0);
  EXPECT_TRUE(w.connected);
}

TEST_F(RelayLivenessTest, AgentThatDiedWhileTheRelaySleptLosesItsRoutesSoon) {
  standing(5);
  w.disconnect();
  w.now += w.hold * 3;
  w.relay->sleptUntil(w.now);
  w.pass(RelayState::kAgentWait - Millis(1));
  EXPECT_EQ(w.exabgp.updates, 0);
  w.pass(Millis(1));
  EXPECT_TRUE(w.exabgp.rib.empty());
}

// ExaBGP took longer than the hold to come back, and the agent is slow on top: end-of-RIB now would
// make routers drop what they keep for the graceful restart.
TEST_F(RelayLivenessTest, ConnectedAgentGetsTimeBeforeAnEmptyEndOfRib) {
  standing(3);
  w.disconnect();
  w.step();
  w.now += w.hold + Millis(1);
  w.killExabgp();
  const RouteSet wanted = *std::exchange(w.published, std::nullopt);
  w.connect();
  w.exabgp.sessionUp("192.0.2.1");
  w.pass(RelayState::kAgentWait + Millis(3000));
  EXPECT_EQ(w.exabgp.endOfRib["192.0.2.1"], 0);
  w.publish(wanted);
  w.settle();
  EXPECT_EQ(w.exabgp.endOfRib["192.0.2.1"], 1);
  EXPECT_EQ(w.exabgp.ribAtEnd["192.0.2.1"], asRib(wanted));
}

}  // namespace
}  // namespace l4ward::bgp::testing
