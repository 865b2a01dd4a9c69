#include "control/readiness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace l4ward::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// web: two ports of 198.51.100.1; dns: a range. All is well.
NodeStatus node(bool bgp) {
  NodeStatus status;
  status.node.phase = "running";
  status.node.ready = true;
  status.relay = {bgp, bgp, bgp, false, 1};
  if (bgp) {
    status.neighbors.resize(2);
    status.neighbors[0].state = "down";
    status.neighbors[1].state = "up";
  }
  Vip web, dns;
  web.prefix = "198.51.100.1/32";
  web.services = {"web"};
  dns.prefix = "198.51.100.64/26";
  dns.services = {"dns"};
  web.state = dns.state = bgp ? "announced" : "not-announced";
  status.vips = {web, dns};
  const auto add = [&](const char* name, const char* key, const std::string& vip) {
    Service service;
    service.name = name;
    service.key = key;
    service.vips = {vip};
    service.programmed = service.quorum = true;
    service.quorumText = "1 of 3 servers up, quorum 2";
    status.services.push_back(service);
  };
  add("web", "tcp 198.51.100.1:80", web.prefix);
  add("web", "tcp 198.51.100.1:443", web.prefix);
  add("dns", "mark 7 IPv4", dns.prefix);
  return status;
}

void say(NodeStatus& status, const std::string& subject, Action action = Action::drain) {
  status.overrides.push_back({Subject::parse(subject).value(), action, "anna", "update"});
}

using Change = std::function<void(NodeStatus&)>;

TEST(Ready, WhyNot) {
  struct Case {
    bool bgp;
    Change change;
    const char* reason;
  };
  for (const auto& [bgp, change, reason] : std::vector<Case>{
           {false, [](auto& s) { s.node.phase = "withdrawing"; }, "the agent is withdrawing"},
           {false, [](auto& s) { s.node.ready = false; }, "not programmed"},
           {false, [](auto& s) { say(s, "node"); }, "node was drained by anna: update"},
           {true, [](auto& s) { say(s, "node", Action::disable); }, "node was disabled"},
           {true, [](auto& s) { s.relay.connected = false; }, "ExaBGP is not connected"},
           {true, [](auto& s) { s.relay.synced = false; }, "not acknowledged"},
           {true, [](auto& s) { s.neighbors[1].state = "connected"; }, "no BGP session is up"},
           {true, [](auto& s) { s.vips[0].state = "last-resort", s.vips[1].state = "withdrawn"; },
            "no virtual IP is announced"},
           {false, [](auto& s) { s.services[0].quorum = s.services[2].quorum = false; },
            "no virtual IP can be served: web: 1 of 3 servers up, quorum 2"},
           {false, [](auto& s) { say(s, "service web"), say(s, "vip 198.51.100.64/26"); },
            "no virtual IP can be served: service web was drained by anna: update"},
           {false, [](auto& s) { s.vips.clear(); }, "no virtual IP can be served"},
       }) {
    auto status = node(bgp);
    EXPECT_THAT(whyNotReady(status), IsEmpty());
    change(status);
    EXPECT_THAT(whyNotReady(status), ElementsAre(HasSubstr(reason)));
  }
}

TEST(Ready, EveryReasonIsNamed) {
  NodeStatus status;
  status.node.phase = "starting";
  status.relay.configured = true;
  EXPECT_EQ(whyNotReady(status).size(), 6U);
}

TEST(Ready, WhatOneServiceOrVipLacksIsNotTheNodes) {
  for (const bool bgp : {false, true}) {
    auto status = node(bgp);
    status.vips[0].state = "withdrawn";
    status.services[0].quorum = false;
    say(status, "service web");
    say(status, "vip 198.51.100.1", Action::disable);
    EXPECT_THAT(whyNotReady(status), IsEmpty());
  }
}

std::string usable(const NodeStatus& status, const std::string& address) {
  return whyNotUsable(status, IpAddress::parse(address).value()).value_or("unknown");
}

TEST(Usable, Addresses) {
  for (const bool bgp : {false, true}) {
    const auto status = node(bgp);
    EXPECT_EQ(usable(status, "198.51.100.1"), "");
    EXPECT_EQ(usable(status, "198.51.100.64"), "");
    EXPECT_EQ(usable(status, "198.51.100.127"), "");
    EXPECT_EQ(usable(status, "198.51.100.128"), "unknown");
    EXPECT_EQ(usable(status, "198.51.100.2"), "unknown");
    EXPECT_EQ(usable(status, "::1"), "unknown");
  }
}

TEST(Usable, AnAddressWithinARangeIsItsOwn) {
  auto status = node(true);
  status.vips[0].prefix = "198.51.100.65/32";
  status.vips[0].state = "withdrawn";
  EXPECT_EQ(usable(status, "198.51.100.65"), "withdrawn");
  EXPECT_EQ(usable(status, "198.51.100.66"), "");
}

TEST(Usable, WithBgpTheRouteDecides) {
  for (const auto* const state : {"last-resort", "draining", "withdrawn", "not-announced"}) {
    auto status = node(true);
    status.vips[0].state = state;
    status.vips[0].because = "web: 1 of 3 servers up, quorum 2";
    EXPECT_EQ(usable(status, "198.51.100.1"), std::string(state) + ": " + status.vips[0].because);
    EXPECT_EQ(usable(status, "198.51.100.64"), "");
  }
  auto status = node(true);
  status.services[0].quorum = false;  // `announce_when` may say that it does not matter
  EXPECT_EQ(usable(status, "198.51.100.1"), "");
}

TEST(Usable, WithoutBgpEachServiceDoes) {
  struct Case {
    Change change;
    const char* reason;
  };
  for (const auto& [change, reason] : std::vector<Case>{
           {[](auto& s) { s.services[1].programmed = false; }, "443 is not programmed"},
           {[](auto& s) { s.services[1].quorum = false; }, "web: 1 of 3 servers up"},
           {[](auto& s) { s.services[0].name = s.services[1].name = ""; }, "none of its services"},
           {[](auto& s) { s.node.phase = "stopping"; }, "the agent is stopping"},
           {[](auto& s) { say(s, "node"); }, "node was drained"},
           {[](auto& s) { say(s, "vip 198.51.100.1"); }, "vip 198.51.100.1 was drained"},
           {[](auto& s) { say(s, "service web", Action::disable); }, "service web was disabled"},
       }) {
    auto status = node(false);
    change(status);
    EXPECT_THAT(usable(status, "198.51.100.1"), HasSubstr(reason));
  }
  auto status = node(false);
  status.services[2].quorum = false;
  say(status, "service dns");
  say(status, "server lb7-1", Action::disable);
  EXPECT_EQ(usable(status, "198.51.100.1"), "");
}

// Where VIPs are written without their length.
TEST(Usable, ShortForms) {
  auto status = node(false);
  status.services[0].vips = status.services[1].vips = {"198.51.100.1"};
  EXPECT_EQ(usable(status, "198.51.100.1"), "");
}

}  // namespace
}  // namespace l4ward::control
