#include "agent/sessions.h"

#include <gtest/gtest.h>

#include "tests/agent/fixture.h"

namespace l4ward::agent {
namespace {

using State = Sessions::State;

class SessionsTest : public testing::Test {
 protected:
  SessionsTest() { sessions.setNeighbors({a, b}, now); }
  void hear(const IpAddress& neighbor, std::string_view state) {
    sessions.heard(neighbor, state, "test", now);
  }
  // Whether the alarm is raised `wait` later.
  bool alarmAfter(Millis wait, bool announcesAny = true) {
    now += wait;
    sessions.judge(announcesAny, now);
    return sessions.isUnheard();
  }

  const IpAddress a = ip("192.0.2.1");
  const IpAddress b = ip("2001:db8::1");
  TimePoint now{std::chrono::hours(1)};
  Sessions sessions;
};

TEST_F(SessionsTest, RemembersStateReasonAndTheLastChange) {
  EXPECT_EQ(sessions.all().at(a).state, State::unknown);
  hear(a, "up");
  const auto since = now;
  now += Millis(1000);
  hear(a, "up");
  EXPECT_EQ(sessions.all().at(a).state, State::up);
  EXPECT_EQ(sessions.all().at(a).since, since);
  sessions.heard(a, "down", "hold timer", now);
  EXPECT_EQ(sessions.all().at(a).state, State::down);
  EXPECT_EQ(sessions.all().at(a).reason, "hold timer");
  EXPECT_EQ(sessions.all().at(a).since, now);
}

TEST_F(SessionsTest, ANeighborThatIsTriedInVainIsDownSinceTheFirstTime) {
  hear(a, "up");
  now += Millis(1000);
  sessions.heard(a, "down", "hold timer", now);
  const auto since = now;
  testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) {
    now += Millis(3000);
    sessions.heard(a, "connected", "", now);
    EXPECT_EQ(sessions.all().at(a).reason, "hold timer");
    sessions.heard(a, "down", "hold timer", now);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(sessions.all().at(a).since, since);
  testing::internal::CaptureStderr();
  sessions.heard(a, "down", "refused", now);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("bgp.session_down"), std::string::npos);
  EXPECT_EQ(sessions.all().at(a).since, since);
}

TEST_F(SessionsTest, WhatNobodyKnowsIsLeftOut) {
  hear(ip("192.0.2.9"), "up");
  hear(a, "sideways");
  EXPECT_EQ(sessions.all().size(), 2U);
  EXPECT_EQ(sessions.all().at(a).state, State::unknown);
}

TEST_F(SessionsTest, AReloadKeepsThoseThatStay) {
  hear(a, "up");
  hear(b, "up");
  sessions.setNeighbors({a, ip("192.0.2.3")}, now);
  EXPECT_EQ(sessions.all().size(), 2U);
  EXPECT_EQ(sessions.all().at(a).state, State::up);
  EXPECT_EQ(sessions.all().at(ip("192.0.2.3")).state, State::unknown);
}

TEST_F(SessionsTest, TheAlarmIsWhenNobodyHearsWhatIsAnnounced) {
  EXPECT_FALSE(alarmAfter(Millis(0)));
  EXPECT_EQ(sessions.nextDue(), now + Millis(10000));
  hear(a, "connected");
  EXPECT_FALSE(alarmAfter(Millis(9999)));
  EXPECT_TRUE(alarmAfter(Millis(1)));
  EXPECT_EQ(sessions.nextDue(), std::nullopt);
  hear(b, "up");  // one is enough
  EXPECT_FALSE(alarmAfter(Millis(0)));
  hear(b, "down");
  EXPECT_FALSE(alarmAfter(Millis(60000)));  // counted from here
  EXPECT_TRUE(alarmAfter(Millis(10000)));
}

TEST_F(SessionsTest, WithNothingAnnouncedThereIsNoAlarm) {
  EXPECT_FALSE(alarmAfter(Millis(60000), false));
  EXPECT_EQ(sessions.nextDue(), std::nullopt);
  EXPECT_FALSE(alarmAfter(Millis(0)));
  EXPECT_TRUE(alarmAfter(Millis(10000)));
  EXPECT_FALSE(alarmAfter(Millis(0), false));
}

TEST_F(SessionsTest, ARelayThatComesBackInTimeIsNoAlarm) {
  hear(a, "up");
  sessions.lost(now);
  EXPECT_EQ(sessions.all().at(a).state, State::unknown);
  EXPECT_FALSE(alarmAfter(Millis(0)));
  EXPECT_FALSE(alarmAfter(Millis(9000)));
  hear(a, "up");
  EXPECT_FALSE(alarmAfter(Millis(9000)));
}

}  // namespace
}  // namespace l4ward::agent
