#include "agent/availability.h"

#include <gtest/gtest.h>

#include "tests/agent/fixture.h"

namespace l4ward::agent {
namespace {

using healthcheck::Answer;

constexpr ServiceView kServing{true, true, true, true, true};

ServiceView but(bool ServiceView::*field) {
  auto view = kServing;
  view.*field = false;
  return view;
}

TEST(Decide, AnnouncesWhatServes) {
  EXPECT_EQ(decide(true, std::vector{kServing, kServing}), Decision::announce);
}

TEST(Decide, OneServiceThatCannotServeWithdrawsTheAddress) {
  EXPECT_EQ(decide(true, std::vector{kServing, but(&ServiceView::quorum)}), Decision::withdraw);
  EXPECT_EQ(decide(true, std::vector{but(&ServiceView::exists)}), Decision::withdraw);
  EXPECT_EQ(decide(false, std::vector{kServing}), Decision::withdraw);
  EXPECT_EQ(decide(true, {}), Decision::withdraw);
}

TEST(Decide, WhatIsNotKnownYetChangesNothing) {
  EXPECT_EQ(decide(true, std::vector{but(&ServiceView::complete)}), Decision::keep);
  EXPECT_EQ(decide(true, std::vector{but(&ServiceView::programmed)}), Decision::keep);
}

TEST(Decide, AMissingVerdictDoesNotHideThatTheQuorumIsLostForSure) {
  auto view = but(&ServiceView::complete);
  view.quorum = view.quorumPossible = false;
  EXPECT_EQ(decide(true, std::vector{view}), Decision::withdraw);
}

class Quorum : public testing::Test {
 protected:
  // Five servers of weight 1, 1, 1, 1, 6, of which the first `up` pass and the next `down` fail.
  ServiceView view(const std::string& quorum, unsigned up, unsigned down, Millis waited = {}) {
    std::string yaml = "checks: { c: { type: tcp } }\npools:\n  p:\n    check: c\n    servers:\n";
    for (int i = 1; i <= 5; ++i) {
      yaml += "      - { name: s" + std::to_string(i) + ", address: 192.0.2." + std::to_string(i) +
              ", weight: " + (i == 5 ? "6" : "1") + " }\n";
    }
    yaml +=
        "services: { s: { vips: [198.51.100.1], ports: [80], pool: p, quorum: " + quorum + " } }";
    const auto model = compile(siteOf(yaml));
    HealthTable health;
    const TimePoint start{};
    health.setChecks(model.checks, start, {});
    unsigned i = 0;
    for (const auto& [address, backend] : model.services.begin()->second.backends) {
      if (i >= up + down) break;
      health.feed({.target = backend.checks.at(0),
                   .answer = i < up ? Answer::pass : Answer::fail,
                   .at = start});
      ++i;
    }
    return viewOf(model.services.begin()->second, health, start + waited, Millis(1000));
  }
};

TEST_F(Quorum, CountsServers) {
  EXPECT_TRUE(view("2", 2, 3).quorum);
  EXPECT_FALSE(view("2", 1, 4).quorum);
  EXPECT_FALSE(view("2", 1, 4).quorumPossible);
}

TEST_F(Quorum, APercentageIsOfTheWeight) {
  EXPECT_FALSE(view("\"50%\"", 4, 1).quorum);  // 4 of 10
  EXPECT_TRUE(view("\"40%\"", 4, 1).quorum);
  EXPECT_TRUE(view("\"100%\"", 5, 0).quorum);
}

TEST_F(Quorum, IsOpenWhileVerdictsAreMissing) {
  EXPECT_FALSE(view("2", 1, 3).complete);
  EXPECT_FALSE(view("2", 1, 3).quorum);
  EXPECT_TRUE(view("2", 1, 3).quorumPossible);
}

TEST_F(Quorum, AfterTheDeadlineASilentCheckCountsAsDown) {
  const auto late = view("2", 1, 3, Millis(1000));
  EXPECT_TRUE(late.complete);
  EXPECT_FALSE(late.quorumPossible);
}

}  // namespace
}  // namespace l4ward::agent
