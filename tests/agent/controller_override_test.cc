// What becomes of servers and virtual IPs that people drain or disable.
#include <gtest/gtest.h>

#include "agent/controller.h"
#include "tests/agent/availability_fixture.h"

namespace l4ward::agent {
namespace {

using control::Action;
using Strings = std::vector<std::string>;

const Strings kNormal{"65001:80"};
const Strings kDrained{"65001:80", "65535:0"};  // RFC 8326

class ControllerOverride : public ControllerAvailability {
 protected:
  void say(Life& life, const char* subject, Action action) {
    const control::Override said{
        control::Subject::parse(subject).value(), action, "anna", "kernel update", 0, 0, false};
    ASSERT_TRUE(overrides.set(said));
    life.controller.setOverrides(overrides);
    life.turn();
  }
  void takeBack(Life& life, const char* subject) {
    EXPECT_TRUE(overrides.clear(control::Subject::parse(subject).value()));
    life.controller.setOverrides(overrides);
    life.turn();
  }
  // An agent that finds what an earlier one left, and knows what people said.
  std::unique_ptr<Life> nextLife(const std::string& text, const bgp::RouteSet& standing) {
    auto life = std::make_unique<Life>(kernel, interfaces, memory);
    life->controller.setOverrides(overrides);
    EXPECT_TRUE(life->controller.start(siteOf(text), life->now));
    life->controller.onRelayConnected(standing, life->now);
    life->turn();
    return life;
  }
  static Strings communities(const Life& life) {
    return life.published.empty() ? Strings{} : life.published.begin()->second.communities;
  }

  control::Overrides overrides;
};

TEST_F(ControllerOverride, EachActionOfEachSubjectAndBackAgain) {
  constexpr char kAll[] = "101=1 102=1 103=4";
  struct Case {
    const char* subject;
    Action action;
    const char* held;
    Strings communities;
  };
  const Case cases[] = {
      {"server lb7-1", Action::drain, "101=0 102=1 103=4", kNormal},
      {"server lb7-1", Action::disable, "101=0 102=1 103=4", kNormal},
      {"server edge/lb7-1", Action::drain, "101=0 102=1 103=4", kNormal},
      {"server edge/lb7-3", Action::disable, "101=1 102=1 103=0", kNormal},
      {"server reserve/lb7-1", Action::drain, kAll, kNormal},
      {"server lb7-9", Action::disable, kAll, kNormal},
      {"service web", Action::drain, kAll, kDrained},
      {"service web", Action::disable, kAll, {}},
      {"service other", Action::disable, kAll, kNormal},
      {"vip 198.51.100.1", Action::drain, kAll, kDrained},
      {"vip 198.51.100.1", Action::disable, kAll, {}},
      {"vip 198.51.100.2", Action::disable, kAll, kNormal},
      {"node", Action::drain, kAll, kDrained},
      {"node", Action::disable, kAll, {}},
  };
  auto life = servingLife(yaml("quorum: 1"));
  const auto routes = life->published;
  for (const auto& one : cases) {
    SCOPED_TRACE(std::string(one.subject) + " " + std::string(toString(one.action)));
    const auto before = writes();
    say(*life, one.subject, one.action);
    EXPECT_EQ(held(), one.held);
    EXPECT_EQ(communities(*life), one.communities);
    const bool isServer = one.held != std::string_view(kAll);
    EXPECT_EQ(writes() > before, isServer);
    takeBack(*life, one.subject);
    EXPECT_EQ(held(), kAll);
    EXPECT_EQ(life->published, routes);
  }
}

TEST_F(ControllerOverride, AServerKeepsItsSlotsWhileItIsOut) {
  auto life = servingLife(yaml("quorum: 1"));
  say(*life, "server lb7-3", Action::drain);
  EXPECT_EQ(kernel.lastWeight(web, endpoint(kServers[2])), 4U);
}

TEST_F(ControllerOverride, WhatChecksSayOfAServerThatIsOutChangesNothing) {
  auto life = servingLife(yaml("quorum: 1"));
  say(*life, "server lb7-1", Action::drain);
  const auto before = writes();
  fail(*life, kServers[0]);
  pass(*life, kServers[0]);
  EXPECT_EQ(writes(), before);
  fail(*life, kServers[0]);
  takeBack(*life, "server lb7-1");
  EXPECT_EQ(held(), "101=0 102=1 103=4");  // it is down
  pass(*life, kServers[0]);
  EXPECT_EQ(held(), "101=1 102=1 103=4");
}

TEST_F(ControllerOverride, AServerThatIsOutDoesNotCountForTheQuorum) {
  for (const auto action : {Action::drain, Action::disable}) {
    auto life = servingLife(yaml("quorum: 3"));
    say(*life, "server lb7-1", action);
    EXPECT_TRUE(life->announced().empty());
    takeBack(*life, "server lb7-1");
    EXPECT_FALSE(life->announced().empty());
  }
}

TEST_F(ControllerOverride, WithTheLastServerTheVipGoesFirst) {
  auto life = servingLife(yaml("quorum: 1"));
  fail(*life, kServers[0]);
  fail(*life, kServers[1]);
  kernel.failure = [&](std::size_t, const ipvs::Operation&) {
    EXPECT_TRUE(life->announced().empty());
    return 0;
  };
  say(*life, "server lb7-3", Action::drain);
  EXPECT_EQ(held(), "101=0 102=0 103=0");
  kernel.failure = nullptr;
}

TEST_F(ControllerOverride, NobodyWaitsForTheVerdictOfAServerThatIsOut) {
  auto life = newLife(yaml("quorum: 2"));
  say(*life, "server lb7-1", Action::disable);
  life->answer(kServers[1], Answer::pass);
  life->answer(kServers[2], Answer::pass);
  life->turn();
  EXPECT_TRUE(life->controller.isReady());
  EXPECT_EQ(life->announced(), std::set<std::string>{kVip});
}

TEST_F(ControllerOverride, APanicUsesDrainedServersAndNoDisabledOnes) {
  auto life = servingLife(yaml("panic_threshold: 50%, quorum: 1"));
  say(*life, "server lb7-1", Action::drain);
  fail(*life, kServers[1]);
  EXPECT_EQ(held(), "101=0 102=0 103=4");
  fail(*life, kServers[2]);
  EXPECT_EQ(held(), "101=1 102=1 103=4");
  say(*life, "server lb7-1", Action::disable);
  EXPECT_EQ(held(), "101=0 102=1 103=4");
}

TEST_F(ControllerOverride, WhatPeopleTakeOutIsNoReasonToPanic) {
  auto life = servingLife(yaml("panic_threshold: 50%, quorum: 1"));
  say(*life, "server lb7-1", Action::drain);
  say(*life, "server lb7-2", Action::drain);
  EXPECT_EQ(held(), "101=0 102=0 103=4");
  say(*life, "server lb7-3", Action::drain);
  EXPECT_EQ(held(), "101=0 102=0 103=0");
}

TEST_F(ControllerOverride, TheBackupPoolStandsInForServersThatAreOut) {
  auto life = servingLife(yaml("backup_pool: reserve"));
  for (const char* server : {"server lb7-1", "server lb7-2", "server lb7-3"}) {
    say(*life, server, Action::drain);
  }
  EXPECT_EQ(held(), "51=1 101=0 102=0 103=0 201=2");
  EXPECT_EQ(life->announced(), std::set<std::string>{kVip});
  say(*life, "server r-1", Action::disable);
  EXPECT_EQ(held(), "51=0 101=0 102=0 103=0 201=2");
  say(*life, "server r-2", Action::drain);
  EXPECT_EQ(held(), "51=0 101=0 102=0 103=0 201=0");
  EXPECT_TRUE(life->announced().empty());
}

TEST_F(ControllerOverride, HoldsWhileTheNodeIsSuspect) {
  auto life = servingLife(site());
  say(*life, "server lb7-1", Action::disable);
  for (int i = 0; i < 3; ++i) life->answerAll(Answer::fail);
  life->turn();
  EXPECT_TRUE(life->announced().empty());
  EXPECT_EQ(held(), "101=0 102=1 103=1");
  say(*life, "server lb7-2", Action::drain);
  EXPECT_EQ(held(), "101=0 102=0 103=1");
}

TEST_F(ControllerOverride, ARestartChangesNothing) {
  for (const char* subject : {"server lb7-1", "vip 198.51.100.1", "node", "service web"}) {
    for (const auto action : {Action::drain, Action::disable}) {
      SCOPED_TRACE(std::string(subject) + " " + std::string(toString(action)));
      auto first = servingLife(yaml("quorum: 1"));
      say(*first, subject, action);
      const auto table = held();
      const auto routes = first->published;
      first.reset();
      const auto before = writes();
      auto second = nextLife(yaml("quorum: 1"), routes);
      EXPECT_EQ(second->published, routes);
      second->answerAll(Answer::pass);
      second->turn();
      EXPECT_EQ(held(), table);
      EXPECT_EQ(second->published, routes);
      EXPECT_EQ(writes(), before);
      takeBack(*second, subject);
      EXPECT_EQ(held(), "101=1 102=1 103=4");
      EXPECT_EQ(communities(*second), kNormal);
    }
  }
}

TEST_F(ControllerOverride, NothingDelaysTakingOutAndTheGateStandsBeforeComingBack) {
  auto life = newLife(yaml("quorum: 1", "min_hold: 30s"));
  life->answerAll(Answer::pass);
  life->turn();
  life->turnWhenDue();
  life->now += std::chrono::seconds(30);
  life->turn();
  ASSERT_EQ(communities(*life), kNormal);
  say(*life, "node", Action::drain);
  EXPECT_EQ(communities(*life), kDrained);
  takeBack(*life, "node");
  EXPECT_EQ(communities(*life), kNormal);
  say(*life, "node", Action::disable);
  EXPECT_TRUE(life->announced().empty());
  takeBack(*life, "node");
  EXPECT_TRUE(life->announced().empty());
  life->now += std::chrono::seconds(30);
  life->turn();
  EXPECT_EQ(communities(*life), kNormal);
}

TEST_F(ControllerOverride, WhatIsDrainedMayBeAnnouncedAnew) {
  auto life = servingLife(yaml("quorum: 1"));
  say(*life, "vip 198.51.100.1", Action::disable);
  say(*life, "vip 198.51.100.1", Action::drain);
  EXPECT_EQ(communities(*life), kDrained);
}

TEST_F(ControllerOverride, ALastResortStaysOne) {
  auto life = servingLife(yaml("quorum: 3, below_quorum: depreference"));
  say(*life, "node", Action::drain);
  fail(*life, kServers[0]);
  EXPECT_EQ(med(*life), 4294967294U);
  EXPECT_EQ(communities(*life), kNormal);
  pass(*life, kServers[0]);
  EXPECT_EQ(communities(*life), kDrained);
}

TEST_F(ControllerOverride, TheStrongerOfNodeAndVipCounts) {
  auto life = servingLife(yaml("quorum: 1"));
  say(*life, "node", Action::drain);
  say(*life, "vip 198.51.100.1", Action::disable);
  EXPECT_TRUE(life->announced().empty());
  takeBack(*life, "vip 198.51.100.1");
  EXPECT_EQ(communities(*life), kDrained);
}

TEST_F(ControllerOverride, AServiceTakesItsVipWithItUnlessAnotherIsEnough) {
  const auto two =
      yaml("quorum: 1") + "  mail: { vips: [198.51.100.1], ports: [25], pool: edge }\n";
  const auto any = two + "vips: { 198.51.100.1: { announce_when: any } }\n";
  struct Case {
    const std::string& site;
    Action action;
    Strings one, both;
  };
  const Case cases[] = {{two, Action::drain, kDrained, kDrained},
                        {two, Action::disable, {}, {}},
                        {any, Action::drain, kNormal, kDrained},
                        {any, Action::disable, kNormal, {}}};
  auto life = servingLife(two);
  for (const auto& one : cases) {
    life->controller.reload(siteOf(one.site), life->now);
    say(*life, "service web", one.action);
    EXPECT_EQ(communities(*life), one.one);
    say(*life, "service mail", one.action);
    EXPECT_EQ(communities(*life), one.both);
    takeBack(*life, "service web");
    takeBack(*life, "service mail");
    EXPECT_EQ(communities(*life), kNormal);
  }
  life->controller.reload(siteOf(any), life->now);
  say(*life, "service web", Action::drain);
  say(*life, "service mail", Action::disable);
  EXPECT_EQ(communities(*life), kDrained);  // only the drained one could serve
}

TEST_F(ControllerOverride, OutlivesTheSubject) {
  auto life = servingLife(yaml("quorum: 1"));
  say(*life, "server edge/lb7-1", Action::drain);
  const auto subject = overrides.all().front().subject;
  EXPECT_TRUE(life->controller.checkSubject(subject));
  auto without = yaml("quorum: 1");
  without.replace(without.find("lb7-1"), 5, "lb7-7");
  life->controller.reload(siteOf(without), life->now);
  life->turn();
  EXPECT_FALSE(life->controller.checkSubject(subject));
  EXPECT_NE(life->controller.overrides().find(subject), nullptr);
  EXPECT_EQ(held(), "101=1 102=1 103=4");
  life->controller.reload(siteOf(yaml("quorum: 1")), life->now);
  life->turn();
  EXPECT_EQ(held(), "101=0 102=1 103=4");
}

TEST_F(ControllerOverride, EndsWhenItExpires) {
  auto life = servingLife(yaml("quorum: 1"));
  ASSERT_TRUE(overrides.set({{}, Action::disable, "anna", "", 0, 1000, false}));
  life->controller.setOverrides(overrides);
  life->turn();
  EXPECT_TRUE(life->announced().empty());
  ASSERT_EQ(overrides.expire(1000).size(), 1U);
  life->controller.setOverrides(overrides);
  life->turn();
  EXPECT_EQ(communities(*life), kNormal);
}

TEST_F(ControllerOverride, TheLogSaysWhoAndWhy) {
  auto life = servingLife(yaml("quorum: 1"));
  testing::internal::CaptureStderr();
  say(*life, "service web", Action::drain);
  say(*life, "node", Action::disable);
  const auto log = testing::internal::GetCapturedStderr();
  const auto line = [&](const std::string& id) {
    const auto at = log.find(id);
    return at == log.npos ? "" : log.substr(at, log.find('\n', at) - at);
  };
  EXPECT_NE(line("vip.draining").find("drained by anna: kernel update"), std::string::npos) << log;
  EXPECT_NE(line("vip.withdrawn").find("node disabled by anna"), std::string::npos) << log;
}

}  // namespace
}  // namespace l4ward::agent
