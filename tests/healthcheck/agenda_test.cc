#include "healthcheck/agenda.h"

#include <gtest/gtest.h>

#include <string>

namespace l4ward::healthcheck {
namespace {

using namespace std::chrono_literals;

class AgendaTest : public testing::Test {
 protected:
  std::function<void()> note(char what) {
    return [this, what] { noted_ += what; };
  }

  asio::io_context io_;
  Agenda agenda_{io_};
  std::string noted_;
  const TimePoint now_ = Clock::now();
};

TEST_F(AgendaTest, KeepsOrderOfTime) {
  Appointment a(agenda_, note('a')), b(agenda_, note('b')), c(agenda_, note('c'));
  a.set(now_ + 20ms);
  b.set(now_ + 5ms);
  c.set(now_ + 10ms);
  io_.run();
  EXPECT_EQ(noted_, "bca");
  EXPECT_GE(Clock::now(), now_ + 20ms);
}

TEST_F(AgendaTest, EqualTimesAreKeptInTheOrderTheyWereSet) {
  Appointment a(agenda_, note('a')), b(agenda_, note('b'));
  b.set(now_);
  a.set(now_);
  io_.run();
  EXPECT_EQ(noted_, "ba");
}

TEST_F(AgendaTest, NeverActsFromWithinSet) {
  Appointment a(agenda_, note('a'));
  a.set(now_ - 1s);
  EXPECT_EQ(noted_, "");
  io_.run();
  EXPECT_EQ(noted_, "a");
}

TEST_F(AgendaTest, TheLastSetCounts) {
  Appointment later(agenda_, note('l')), sooner(agenda_, note('s')), third(agenda_, note('t'));
  later.set(now_ + 1ms);
  later.set(now_ + 20ms);
  third.set(now_ + 10ms);
  sooner.set(now_ + 1h);
  sooner.set(now_ + 5ms);
  io_.run();
  EXPECT_EQ(noted_, "stl");
}

TEST_F(AgendaTest, ACancelledOneDoesNothing) {
  Appointment a(agenda_, note('a')), b(agenda_, note('b'));
  a.set(now_ + 1ms);
  b.set(now_ + 5ms);
  a.cancel();
  io_.run();
  EXPECT_EQ(noted_, "b");
}

TEST_F(AgendaTest, OneThatIsGoneDoesNothing) {
  Appointment b(agenda_, note('b'));
  {
    Appointment a(agenda_, note('a'));
    a.set(now_ + 1ms);
  }
  b.set(now_ + 5ms);
  io_.run();
  EXPECT_EQ(noted_, "b");
}

TEST_F(AgendaTest, OneMayCancelAnotherThatIsDueAsWell) {
  Appointment b(agenda_, note('b'));
  Appointment a(agenda_, [&] { b.cancel(); });
  Appointment c(agenda_, note('c'));
  a.set(now_);
  b.set(now_);
  c.set(now_);
  io_.run();
  EXPECT_EQ(noted_, "c");
}

// Whoever is always due must not keep the thread from its sockets.
TEST_F(AgendaTest, WhatIsSetWhileOthersActWaitsForTheSockets) {
  int acted = 0;
  Appointment a(agenda_, [&] {
    if (++acted == 1) asio::post(io_, [&] { noted_ += std::to_string(acted); });
    if (acted < 3) a.set(now_ - 1s);
  });
  a.set(now_);
  io_.run();
  EXPECT_EQ(acted, 3);
  EXPECT_EQ(noted_, "1");
}

TEST_F(AgendaTest, MayBeSetAgainWhenAllIsDone) {
  Appointment a(agenda_, note('a'));
  for (int turn = 0; turn < 3; ++turn) {
    a.set(Clock::now() + 1ms);
    io_.restart();
    io_.run();
  }
  EXPECT_EQ(noted_, "aaa");
}

}  // namespace
}  // namespace l4ward::healthcheck
