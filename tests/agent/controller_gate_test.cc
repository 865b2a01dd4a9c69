// What holds announcements back, and what is said before a stop.
#include <gtest/gtest.h>

#include "agent/controller.h"
#include "tests/agent/availability_fixture.h"

namespace l4ward::agent {
namespace {

using ControllerGate = ControllerAvailability;

TEST_F(ControllerGate, AVipThatFlapsIsHeldDownAndComesBackByItself) {
  auto life = servingLife(yaml("quorum: 3", "damping: { changes: 2, within: 1m, hold_down: 10s }"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(life->announced().empty());
    fail(*life, kServers[0]);
    EXPECT_TRUE(life->announced().empty());
    pass(*life, kServers[0]);
  }
  EXPECT_TRUE(life->announced().empty());
  EXPECT_LE(life->due, life->now + Millis(10000));
  life->now += Millis(10000);
  life->turn();
  EXPECT_FALSE(life->announced().empty());
}

TEST_F(ControllerGate, ANewVipWaitsForItsMinHold) {
  auto life = servingLife(yaml("quorum: 1", "min_hold: 5s"));
  EXPECT_TRUE(life->announced().empty());
  life->turnWhenDue();
  EXPECT_EQ(life->announced(), std::set<std::string>{kVip});
  fail(*life, kServers[0]);
  EXPECT_EQ(life->announced(), std::set<std::string>{kVip});
}

TEST_F(ControllerGate, AStartThatFindsNothingAnnouncedTakesItsTime) {
  const auto text = yaml("quorum: 1", "announce_delay: 4s");
  auto life = std::make_unique<Life>(kernel, interfaces, memory, 0.5);
  ASSERT_TRUE(life->controller.start(siteOf(text), life->now));
  const auto start = life->now;
  life->controller.onRelayConnected({}, life->now);
  life->turn();
  life->answerAll(Answer::pass);
  life->turn();
  EXPECT_TRUE(life->announced().empty());
  EXPECT_EQ(life->due, start + Millis(6000));
  life->turnWhenDue();
  EXPECT_EQ(life->announced(), std::set<std::string>{kVip});
  const auto routes = life->published;
  life.reset();

  auto next = newLife(text, routes);  // something stands: no delay, for nothing new is announced
  next->answerAll(Answer::pass);
  next->turn();
  EXPECT_EQ(next->published, routes);
}

TEST_F(ControllerGate, ANodeAboutToStopSaysSoBeforeItWithdraws) {
  auto life = servingLife(yaml("quorum: 1"));
  life->controller.setDraining();
  life->turn();
  ASSERT_EQ(life->announced(), std::set<std::string>{kVip});
  const auto& communities = life->published.begin()->second.communities;
  EXPECT_NE(std::ranges::find(communities, "65535:0"), communities.end());
  EXPECT_FALSE(life->controller.isSynced());
  life->sync();
  EXPECT_TRUE(life->controller.isSynced());
  failAll(*life);
  EXPECT_TRUE(life->announced().empty());
}

TEST_F(ControllerGate, TheControllerWakesUpToTellThatNobodyHearsIt) {
  auto life = servingLife(yaml("quorum: 1"));
  EXPECT_LE(life->due, life->now + Millis(10000));
  life->controller.onSession(ip("192.0.2.1"), "up", "", life->now);
  life->turn();
  EXPECT_GT(life->due, life->now + Millis(10000));
}

}  // namespace
}  // namespace l4ward::agent
