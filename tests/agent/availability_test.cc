#include "agent/availability.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tests/agent/fixture.h"

namespace l4ward::agent {
namespace {

using healthcheck::Answer;

using config::AnnounceWhen;
using config::BelowQuorum;

constexpr ServiceView kServing{true, true, true, true, true, true, BelowQuorum::withdraw};

ServiceView but(bool ServiceView::*field) {
  auto view = kServing;
  view.*field = false;
  return view;
}

// Below its quorum for sure, with a server up.
ServiceView below(BelowQuorum what) {
  auto view = kServing;
  view.quorum = view.quorumPossible = false;
  view.below = what;
  return view;
}

// As below(), but `field` is false.
ServiceView below(BelowQuorum what, bool ServiceView::*field) {
  auto view = below(what);
  view.*field = false;
  return view;
}

Decision decideOne(const ServiceView& view) {
  return decide(true, std::vector{view});
}

TEST(Decide, OneService) {
  using V = ServiceView;
  EXPECT_EQ(decideOne(kServing), Decision::announce);
  EXPECT_EQ(decideOne(but(&V::exists)), Decision::withdraw);
  EXPECT_EQ(decideOne(but(&V::quorum)), Decision::withdraw);
  EXPECT_EQ(decideOne(but(&V::complete)), Decision::keep);
  EXPECT_EQ(decideOne(but(&V::programmed)), Decision::keep);
  EXPECT_EQ(decide(false, std::vector{kServing}), Decision::withdraw);
  EXPECT_EQ(decide(true, {}), Decision::withdraw);
}

TEST(Decide, BelowTheQuorumItIsAsTheServiceSays) {
  using V = ServiceView;
  const auto worse = BelowQuorum::depreference;
  EXPECT_EQ(decideOne(below(BelowQuorum::withdraw)), Decision::withdraw);
  EXPECT_EQ(decideOne(below(BelowQuorum::keep)), Decision::keep);
  EXPECT_EQ(decideOne(below(worse)), Decision::depreference);
  EXPECT_EQ(decideOne(below(worse, &V::anyUp)), Decision::demote);
  EXPECT_EQ(decideOne(below(worse, &V::complete)), Decision::demote);
  EXPECT_EQ(decideOne(below(worse, &V::programmed)), Decision::demote);
  EXPECT_EQ(decideOne(below(worse, &V::exists)), Decision::withdraw);
}

TEST(Decide, AMissingVerdictDoesNotHideThatTheQuorumIsLostForSure) {
  EXPECT_EQ(decideOne(below(BelowQuorum::withdraw, &ServiceView::complete)), Decision::withdraw);
}

TEST(Decide, WithoutAnyServerUpNothingIsAnnouncedAnew) {
  for (const auto what : {BelowQuorum::withdraw, BelowQuorum::depreference, BelowQuorum::keep}) {
    const auto decision = decideOne(below(what, &ServiceView::anyUp));
    EXPECT_NE(decision, Decision::announce);
    EXPECT_NE(decision, Decision::depreference);
  }
}

TEST(Decide, SeveralServices) {
  using enum Decision;
  const auto viewFor = [](Decision decision) {
    switch (decision) {
      case announce:
        return kServing;
      case depreference:
        return below(BelowQuorum::depreference);
      case demote:
        return below(BelowQuorum::depreference, &ServiceView::anyUp);
      case keep:
        return but(&ServiceView::programmed);
      case withdraw:
        break;
    }
    return below(BelowQuorum::withdraw);
  };
  struct Case {
    Decision a, b, all, any;
  };
  const Case cases[] = {
      {announce, announce, announce, announce},
      {announce, depreference, depreference, announce},
      {announce, demote, demote, announce},
      {announce, keep, keep, announce},
      {announce, withdraw, withdraw, announce},
      {depreference, depreference, depreference, depreference},
      {depreference, demote, demote, depreference},
      {depreference, keep, demote, depreference},
      {depreference, withdraw, withdraw, depreference},
      {demote, demote, demote, demote},
      {demote, keep, demote, keep},
      {demote, withdraw, withdraw, demote},
      {keep, keep, keep, keep},
      {keep, withdraw, withdraw, keep},
      {withdraw, withdraw, withdraw, withdraw},
  };
  for (const auto& [a, b, all, any] : cases) {
    for (const auto& pair : {std::pair(a, b), std::pair(b, a)}) {
      const std::vector views{viewFor(pair.first), viewFor(pair.second)};
      EXPECT_EQ(decide(true, views), all) << int(a) << " and " << int(b);
      EXPECT_EQ(decide(true, views, AnnounceWhen::any), any) << int(a) << " and " << int(b);
    }
  }
}

TEST(Decide, ThreeServicesAsTwoAndOne) {
  const std::vector views{but(&ServiceView::programmed), kServing,
                          below(BelowQuorum::depreference)};
  EXPECT_EQ(decide(true, views), Decision::demote);
  EXPECT_EQ(decide(true, views, AnnounceWhen::any), Decision::announce);
}

class Quorum : public testing::Test {
 protected:
  static constexpr Millis kDeadline{1000};

  // Five servers of weight 1, 1, 1, 1, 6, and two in the backup pool. `answers` has a letter for
  // each of the seven: up, down, or anything else for no answer.
  void given(const std::string& service, const std::string& answers) {
    model = compile(siteOf(R"(
checks: { c: { type: tcp } }
pools:
  p:
    check: c
    servers:
      - { name: s1, address: 192.0.2.1 }
      - { name: s2, address: 192.0.2.2 }
      - { name: s3, address: 192.0.2.3 }
      - { name: s4, address: 192.0.2.4 }
      - { name: s5, address: 192.0.2.5, weight: 6 }
  b:
    check: c
    servers: [{ name: b1, address: 192.0.2.6 }, { name: b2, address: 192.0.2.7 }]
services: { s: { vips: [198.51.100.1], ports: [80], pool: p, )" +
                           service + " } }"));
    health = {};
    health.setChecks(model.checks, start, {});
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const auto* server = web().find(endpoint("192.0.2." + std::to_string(i + 1) + ":80"));
      if (!server || (answers[i] != 'u' && answers[i] != 'd')) continue;
      const auto answer = answers[i] == 'u' ? Answer::pass : Answer::fail;
      health.feed({.target = server->checks.at(0), .answer = answer, .at = start});
    }
  }
  const VirtualService& web() const { return model.services.begin()->second; }
  QuorumState state(bool held = true, Millis waited = Millis(0)) const {
    return quorumOf(web(), health, held, start + waited, kDeadline);
  }
  ServiceView view(bool held = true, Millis waited = Millis(0)) const {
    return viewOf(web(), health, held, start + waited, kDeadline);
  }

  const TimePoint start{};
  Model model;
  HealthTable health;
};

TEST_F(Quorum, IsOfServersWeightOrAShareOfIt) {
  using enum QuorumState;
  struct Case {
    const char* quorum;
    const char* answers;
    QuorumState held, notHeld;
  };
  const Case cases[] = {
      {"2", "uuddd", reached, reached},
      {"2", "udddd", lost, lost},
      {"2", "uddd?", open, open},
      {"{ servers: 2, hysteresis: 1 }", "uuddd", reached, lost},
      {"{ servers: 2, hysteresis: 1 }", "uudd?", reached, open},
      {"{ servers: 2, hysteresis: 1 }", "uuudd", reached, reached},
      {"\"50%\"", "uuuud", lost, lost},
      {"\"40%\"", "uuuud", reached, reached},
      {"\"100%\"", "uuuuu", reached, reached},
      {"{ percent: 60, hysteresis: 20 }", "ddddu", reached, lost},
      {"{ percent: 60, hysteresis: 20 }", "udddu", reached, lost},
      {"{ percent: 60, hysteresis: 20 }", "uuddu", reached, reached},
      {"{ weight: 6, hysteresis: 1 }", "ddddu", reached, lost},
      {"{ weight: 6, hysteresis: 1 }", "udddu", reached, reached},
      {"{ weight: 5 }", "uuuud", lost, lost},
      {"{ weight: 5 }", "uuuu?", open, open},
  };
  for (const auto& one : cases) {
    given("quorum: " + std::string(one.quorum), one.answers);
    EXPECT_EQ(state(true), one.held) << one.quorum << ' ' << one.answers;
    EXPECT_EQ(state(false), one.notHeld) << one.quorum << ' ' << one.answers;
  }
}

TEST_F(Quorum, AfterTheDeadlineASilentCheckCountsAsDown) {
  given("quorum: 2", "uddd?");
  EXPECT_FALSE(view().complete);
  EXPECT_TRUE(view().quorumPossible);
  EXPECT_EQ(state(true, kDeadline), QuorumState::lost);
  EXPECT_TRUE(view(true, kDeadline).complete);
  EXPECT_FALSE(view(true, kDeadline).quorumPossible);
}

TEST_F(Quorum, AServerOfTheBackupPoolStandsInForIt) {
  given("backup_pool: b", "ddddddu");
  EXPECT_EQ(state(), QuorumState::lost);
  const auto serving = view();
  EXPECT_TRUE(serving.quorum && serving.quorumPossible && serving.complete && serving.anyUp);
  given("backup_pool: b", "ddddddd");
  EXPECT_FALSE(view().quorum || view().quorumPossible || view().anyUp);
}

TEST_F(Quorum, TheBackupPoolsVerdictsMatterOnlyWhileTheQuorumIsLost) {
  given("backup_pool: b", "ddddd??");
  EXPECT_TRUE(view().quorumPossible);
  EXPECT_FALSE(view().complete);
  given("backup_pool: b", "udddd??");
  EXPECT_TRUE(view().quorum);
  EXPECT_TRUE(view().complete);
}

TEST_F(Quorum, PanicIsBelowTheThresholdWithEachVerdictKnown) {
  const auto panics = [&](const char* threshold, const char* answers) {
    given("panic_threshold: " + std::string(threshold), answers);
    return inPanic(web(), health, start, kDeadline);
  };
  EXPECT_TRUE(panics("\"50%\"", "uuddd"));
  EXPECT_FALSE(panics("\"40%\"", "uuddd"));
  EXPECT_FALSE(panics("\"50%\"", "uudd?"));
  EXPECT_TRUE(panics("\"1%\"", "ddddd"));
  EXPECT_FALSE(panics("\"0%\"", "ddddd"));
}

TEST_F(Quorum, IsDescribedWithItsUnit) {
  given("quorum: 2", "uuddd");
  EXPECT_EQ(describe(web(), health), "2 of 5 servers up, quorum 2");
  given("quorum: \"50%\"", "uuddd");
  EXPECT_EQ(describe(web(), health), "2 of 5 servers up, quorum 50% of the weight");
  given("quorum: { weight: 7 }", "uuddd");
  EXPECT_EQ(describe(web(), health), "2 of 5 servers up, quorum 7 of the weight");
}

}  // namespace
}  // namespace l4ward::agent
