#include "bgp/relay_state.h"

#include <gtest/gtest.h>

#include "tests/bgp/relay_world.h"

namespace l4ward::bgp::testing {
namespace {

using RelayStateTest = RelayWorldTest;

TEST_F(RelayStateTest, AnnouncesThenReportsSync) {
  w.connect();
  w.publish(routes(3));
  w.step();
  EXPECT_FALSE(w.isSynced());
  w.settle();
  EXPECT_EQ(w.exabgp.rib, asRib(routes(3)));
  EXPECT_TRUE(w.isSynced());
}

TEST_F(RelayStateTest, HelloComesFirstAndTellsWhatStands) {
  standing(3);
  w.disconnect();
  w.messages.clear();
  w.published.reset();
  w.connect();
  w.settle();
  ASSERT_GE(w.messages.size(), 2U);
  EXPECT_EQ(w.messages[0], RelayMessage(Hello{"100:1", routes(3), false}));
  EXPECT_EQ(w.messages[1], RelayMessage(SessionEvent{ip("192.0.2.1"), "up", "up before"}));
}

TEST_F(RelayStateTest, SameSetFromANewAgentCostsNoLine) {
  standing(50);
  w.disconnect();
  w.connect();  // publishes again
  w.settle();
  EXPECT_EQ(w.exabgp.lines, 0);
  EXPECT_TRUE(w.isSynced());
}

TEST_F(RelayStateTest, ManyRoutesShareALine) {
  w.connect();
  w.publish(routes(1000));
  w.settle();
  EXPECT_EQ(w.exabgp.rib, asRib(routes(1000)));
  EXPECT_LE(w.exabgp.commands, 6) << "18 bytes a prefix, 4095 a line";
  EXPECT_LT(w.records, 8) << "the record is written once a batch";
  w.publish({});
  w.pass(Millis(100));
  EXPECT_TRUE(w.exabgp.rib.empty());
  EXPECT_LE(w.exabgp.commands, 12);
}

TEST_F(RelayStateTest, LinesAreSharedByNeighborAndAttributesOnly) {
  RouteSet set = routes(3);
  set.merge(routes(2, "192.0.2.2"));
  RouteSet last = routes(4);
  last[std::prev(last.end())->first].med = 7;
  set.merge(last);
  w.connect();
  w.publish(set);
  w.settle();
  EXPECT_EQ(w.exabgp.rib, asRib(set));
  EXPECT_EQ(w.exabgp.commands, 3);
}

TEST_F(RelayStateTest, WindowIsBounded) {
  w.connect();
  w.publish(unlike(1000));
  w.settle();
  EXPECT_EQ(w.exabgp.rib.size(), 1000U);
  EXPECT_LE(w.exabgp.most, RelayState::kWindow);
  EXPECT_LT(w.records, 80) << "the record is written once a batch";
}

TEST_F(RelayStateTest, WindowIsBoundedInBytes) {
  RouteSet wide = unlike(100);
  for (auto& [route, attributes] : wide) {
    attributes.largeCommunities.assign(60, "4200000000:1000000:1000000");
  }
  w.connect();
  w.publish(wide);
  w.settle();
  EXPECT_EQ(w.exabgp.rib.size(), 100U);
  w.publish(routes(3000));
  w.pass(Millis(200));
  EXPECT_EQ(w.exabgp.rib.size(), 3000U);
  EXPECT_LE(w.exabgp.mostBytes, RelayState::kWindowBytes);
  EXPECT_GT(w.exabgp.mostBytes, RelayState::kWindowBytes / 2) << "else this tests nothing";
}

TEST_F(RelayStateTest, OneBadRouteDoesNotHoldBackTheOthersOfItsLine) {
  w.exabgp.refuse.insert("192.0.2.1 198.51.0.7/32");
  w.connect();
  w.publish(routes(30));
  w.settle();
  EXPECT_EQ(w.exabgp.rib.size(), 29U);
  EXPECT_EQ(w.count<RelayError>(), 1) << "of the one, not of the line";
  w.exabgp.commands = 0;
  w.publish(routes(60));  // more of the same
  w.pass(Millis(50));
  EXPECT_EQ(w.exabgp.rib.size(), 59U);
  EXPECT_EQ(w.exabgp.commands, 1) << "the bad one waits for its backoff";
  w.exabgp.refuse.clear();
  w.pass(Millis(1000));
  EXPECT_EQ(w.exabgp.rib, asRib(routes(60)));
  EXPECT_TRUE(w.isSynced());
}

TEST_F(RelayStateTest, ChangeOfMindInFlightWaitsForTheAnswer) {
  standing(0);
  w.publish(routes(1));
  w.step();
  w.publish(routes(0));
  w.step();
  w.publish(routes(1, "192.0.2.1", 7));
  w.step();
  EXPECT_EQ(w.exabgp.lines, 1);
  w.pass(Millis(500));
  EXPECT_EQ(w.exabgp.rib, asRib(routes(1, "192.0.2.1", 7)));
  EXPECT_TRUE(w.isSynced());
}

TEST_F(RelayStateTest, WithdrawalDoesNotWaitForTheQueueButAnAnnouncementDoes) {
  standing(0);
  w.publish(routes(1));
  w.settle();
  w.publish({});
  w.settle();
  EXPECT_TRUE(w.exabgp.rib.empty());
  w.publish(routes(1, "192.0.2.1", 7));
  w.settle();
  EXPECT_TRUE(w.exabgp.rib.empty());
  w.pass(Millis(50));
  EXPECT_EQ(w.exabgp.rib, asRib(*w.published));
}

TEST_F(RelayStateTest, WithdrawalUsesTheAttributesOfTheAnnouncement) {
  standing(1);
  w.publish({});
  const RelayOutput out = w.relay->step(w.now);
  ASSERT_EQ(out.lines.size(), 1U);
  EXPECT_EQ(out.lines[0],
            "neighbor 192.0.2.1 withdraw route 198.51.0.0/32 next-hop 192.0.2.11 med 100 "
            "community [65001:80]");
}

TEST_F(RelayStateTest, NewAttributesReplaceWhenTheSessionIsUp) {
  standing(1);
  w.publish(routes(1, "192.0.2.1", 200));
  w.pass(Millis(500));
  EXPECT_EQ(w.exabgp.lines, 1);
  EXPECT_EQ(w.exabgp.rib, asRib(*w.published));
}

TEST_F(RelayStateTest, NewAttributesGoByWithdrawalWhenTheSessionIsDown) {
  standing(1);
  w.exabgp.sessionDown("192.0.2.1");
  w.settle();
  w.publish(routes(1, "192.0.2.1", 200));
  w.pass(Millis(500));
  EXPECT_EQ(w.exabgp.lines, 2);
  EXPECT_EQ(w.exabgp.rib, asRib(*w.published));
}

TEST_F(RelayStateTest, RefusedAnnouncementIsReportedAndRetried) {
  w.exabgp.refuse.insert("192.0.2.1 198.51.0.0/32");
  w.connect();
  w.publish(routes(2));
  w.pass(Millis(3000));
  EXPECT_EQ(w.exabgp.rib.size(), 1U);
  EXPECT_GE(w.count<RelayError>(), 3);
  EXPECT_LE(w.count<RelayError>(), 8);
  EXPECT_FALSE(w.isSynced());
  w.exabgp.refuse.clear();
  w.pass(Millis(6000));
  EXPECT_EQ(w.exabgp.rib.size(), 2U);
  EXPECT_TRUE(w.isSynced());
}

TEST_F(RelayStateTest, WithdrawalForANeighborThatIsGoneIsGivenUp) {
  standing(1);
  w.exabgp.refuse.insert("192.0.2.1 198.51.0.0/32");
  w.publish({});
  w.pass(Millis(3000));
  EXPECT_TRUE(w.isSynced());
  EXPECT_EQ(w.exabgp.commands, 3);
}

TEST_F(RelayStateTest, SilentAgentLosesItsRoutesAtTheHoldTime) {
  standing(5);
  w.disconnect();
  w.pass(w.hold - Millis(100));
  EXPECT_EQ(w.exabgp.commands, 0);
  w.pass(Millis(200));
  EXPECT_TRUE(w.exabgp.rib.empty());
  w.messages.clear();
  w.connect();
  w.settle();
  EXPECT_EQ(w.count<RelayError>(), 1) << "the agent is told";
  EXPECT_EQ(w.exabgp.rib, asRib(*w.published));
}

TEST_F(RelayStateTest, HangingAgentIsDroppedAtTheHoldTime) {
  standing(5);
  for (int i = 0; i < 12; ++i) {  // connected, but says nothing
    w.now += Millis(1000);
    w.settle();
  }
  EXPECT_FALSE(w.connected);
  EXPECT_TRUE(w.exabgp.rib.empty());
}

TEST_F(RelayStateTest, HeartbeatsKeepTheRoutes) {
  standing(5);
  w.pass(w.hold * 5);
  EXPECT_EQ(w.exabgp.commands, 0);
  EXPECT_LT(w.records, 60);
}

TEST_F(RelayStateTest, RelayThatIsToldToEndCostsNoUpdate) {
  standing(50);
  w.relay->agentMessage(w.now, RelayWorld::decoded(End{}));
  w.step();
  EXPECT_TRUE(w.quit);
  w.killRelay();
  w.connect();
  w.pass(Millis(3000));
  EXPECT_EQ(w.exabgp.updates, 0);
  EXPECT_EQ(w.exabgp.rib, asRib(routes(50)));
}

TEST_F(RelayStateTest, KilledRelayCostsNoUpdate) {
  standing(100);
  w.killRelay();
  w.settle();
  w.connect();
  w.pass(Millis(1000));
  EXPECT_EQ(w.exabgp.updates, 0);
  EXPECT_TRUE(w.isSynced());
}

TEST_F(RelayStateTest, KilledRelayKeepsTheHoldTime) {
  standing(5);
  w.disconnect();
  w.step();
  w.pass(w.hold / 2);
  w.killRelay();
  w.pass(w.hold / 2 - Millis(100));
  EXPECT_EQ(w.exabgp.updates, 0);
  w.pass(Millis(200));
  EXPECT_TRUE(w.exabgp.rib.empty());
}

TEST_F(RelayStateTest, KilledBetweenRecordAndLineRepeatsTheLine) {
  standing(0);
  w.publish(unlike(2));
  w.killRelay(1);  // one line was written, the other not
  w.settle();
  EXPECT_EQ(w.exabgp.rib, asRib(unlike(2)));
}

TEST_F(RelayStateTest, AnswersForTheLastRelayAreNotCounted) {
  standing(0);
  w.publish(unlike(3));
  w.killRelay(3);
  w.step();
  for (int i = 0; i < 2; ++i) w.exabgp.answer();  // to the old relay's lines
  while (!w.exabgp.answers.empty()) w.readOne();
  w.step();
  EXPECT_EQ(w.exabgp.lines, 4) << "three lines and the barrier";
  w.settle();
  EXPECT_EQ(w.exabgp.rib, asRib(unlike(3)));
}

TEST_F(RelayStateTest, NewExabgpWaitsForTheAgentThenEndOfRib) {
  standing(3);
  w.killExabgp();
  w.exabgp.sessionUp("192.0.2.1");
  w.pass(Millis(1000));
  EXPECT_TRUE(w.exabgp.rib.empty());
  EXPECT_EQ(w.exabgp.endOfRib["192.0.2.1"], 0) << "that would end graceful restart too early";
  w.connect();
  w.settle();
  EXPECT_EQ(w.exabgp.endOfRib["192.0.2.1"], 1);
  EXPECT_EQ(w.exabgp.ribAtEnd["192.0.2.1"], asRib(routes(3)));
}

TEST_F(RelayStateTest, NewExabgpWithoutAgentTakesTheRecord) {
  standing(3);
  w.disconnect();
  w.step();
  w.killExabgp();
  w.exabgp.sessionUp("192.0.2.1");
  w.pass(Millis(1900));
  EXPECT_TRUE(w.exabgp.rib.empty());
  w.pass(Millis(200));
  EXPECT_EQ(w.exabgp.rib, asRib(routes(3)));
  EXPECT_EQ(w.exabgp.endOfRib["192.0.2.1"], 1);
  w.pass(w.hold);
  EXPECT_TRUE(w.exabgp.rib.empty()) << "the hold goes on counting";
}

// Else it would take nothing for granted, publish nothing, and so end the graceful restart.
TEST_F(RelayStateTest, NewAgentIsToldWhatIsHeldForTheOldOneThatDiedWithExabgp) {
  standing(3);
  w.disconnect();
  w.step();
  w.killExabgp();
  w.messages.clear();
  w.published.reset();
  w.connect();
  w.settle();
  ASSERT_FALSE(w.messages.empty());
  EXPECT_EQ(std::get<Hello>(w.messages[0]).standing, routes(3));
}

TEST_F(RelayStateTest, NewExabgpAfterTheHoldAnnouncesNothing) {
  standing(3);
  w.disconnect();
  w.step();
  w.now += w.hold + Millis(1);
  w.killExabgp();
  w.exabgp.sessionUp("192.0.2.1");
  w.pass(Millis(5000));
  EXPECT_EQ(w.exabgp.updates, 0);
  EXPECT_EQ(w.exabgp.endOfRib["192.0.2.1"], 1) << "so that routers drop what is stale";
}

TEST_F(RelayStateTest, AgentThatComesAfterTheHoldDoesNotReviveTheRecord) {
  standing(3);
  w.disconnect();
  w.step();
  w.now += w.hold + Millis(1);
  w.killExabgp();
  w.published.reset();
  w.connect();  // and does not say what it wants
  w.pass(Millis(5000));
  EXPECT_EQ(w.exabgp.updates, 0);
}

TEST_F(RelayStateTest, KilledWhileUndecidedDecidesFromTheSameRecord) {
  standing(3);
  w.disconnect();
  w.step();
  w.killExabgp();
  w.pass(Millis(1000));
  w.killRelay();
  w.pass(Millis(1900));
  EXPECT_TRUE(w.exabgp.rib.empty());
  w.pass(Millis(200));
  EXPECT_EQ(w.exabgp.rib, asRib(routes(3)));
}

TEST_F(RelayStateTest, EndOfRibFollowsEachSession) {
  standing(3);
  EXPECT_EQ(w.exabgp.endOfRib["192.0.2.1"], 1);
  w.exabgp.sessionDown("192.0.2.1");
  w.settle();
  w.exabgp.sessionUp("192.0.2.1");
  w.exabgp.sessionUp("192.0.2.2");
  w.settle();
  EXPECT_EQ(w.exabgp.endOfRib["192.0.2.1"], 1);
  EXPECT_EQ(w.exabgp.endOfRib["192.0.2.2"], 1);
  EXPECT_EQ(w.exabgp.updates, 0);
}

TEST_F(RelayStateTest, RefusedEndOfRibIsRetried) {
  standing(1);
  w.exabgp.answers.push_back(FakeExabgp::event("192.0.2.2", "up"));  // and down at once
  w.settle();
  w.exabgp.established.insert("192.0.2.2");
  w.pass(Millis(1500));
  EXPECT_EQ(w.exabgp.endOfRib["192.0.2.2"], 1);
}

TEST_F(RelayStateTest, GarbageFromExabgpChangesNothing) {
  standing(2);
  for (const char* line : {"", "{", "{}", "\xff\xfe", "doner", "{\"type\": \"state\"}", "Peer",
                           "{\"type\":\"state\",\"neighbor\":3}", "[1,2]", "done", "error"}) {
    w.relay->exabgpLine(w.now, line);
  }
  w.settle();
  EXPECT_EQ(w.exabgp.lines, 0);
  w.publish(routes(3));
  w.settle();
  EXPECT_EQ(w.exabgp.rib, asRib(routes(3)));
}

}  // namespace
}  // namespace l4ward::bgp::testing
