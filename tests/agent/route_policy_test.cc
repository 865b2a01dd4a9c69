#include "agent/route_policy.h"

#include <gtest/gtest.h>

#include "tests/agent/fixture.h"

namespace l4ward::agent {
namespace {

using Strings = std::vector<std::string>;

config::Neighbor neighborOf(std::string_view address, std::uint32_t as) {
  config::Neighbor neighbor;
  neighbor.address = ip(address);
  neighbor.peerAs = as;
  neighbor.localAddress = neighbor.nextHop =
      ip(neighbor.address.isV4() ? "192.0.2.11" : "2001:db8::b");
  return neighbor;
}

class RoutePolicy : public testing::Test {
 protected:
  RoutePolicy() {
    policy.localAs = 65001;
    policy.neighbors = {external, internal};
  }
  bgp::Attributes attributes(Standing standing = Standing::normal) const {
    return attributesOf(policy, external, service, standing);
  }
  bgp::Attributes inside(Standing standing = Standing::normal) const {
    return attributesOf(policy, internal, service, standing);
  }
  bgp::RouteSet wanted(Decision decision, const bgp::RouteSet& current = {},
                       bool draining = false) const {
    return wantedRoutes({{vip, decision}}, policy, services, current, {draining, {}});
  }

  config::Neighbor external = neighborOf("192.0.2.1", 65000);
  config::Neighbor internal = neighborOf("192.0.2.2", 65001);
  config::RouteAttributes service;
  config::Bgp policy;
  const Prefix vip = host("198.51.100.1");
  std::map<Prefix, VipServices> services{{vip, {{"web"}, {}}}};
};

TEST_F(RoutePolicy, TheNarrowestWordCounts) {
  policy.routes.med = 1;
  policy.routes.prepend = 1;
  EXPECT_EQ(attributes().med, 1U);
  external.routes.med = 2;
  EXPECT_EQ(attributes().med, 2U);
  EXPECT_EQ(attributes().asPath, (std::vector<std::uint32_t>{65001, 65001}));
  service.med = 0;
  service.prepend = 0;
  EXPECT_EQ(attributes().med, 0U);
  EXPECT_TRUE(attributes().asPath.empty());
}

TEST_F(RoutePolicy, CommunitiesAddUp) {
  policy.routes.communities = {"1:1", "1:2"};
  external.routes.communities = {"2:1", "1:1"};
  service.communities = {"3:1", "1:2", "2:1"};
  EXPECT_EQ(attributes().communities, (Strings{"1:1", "1:2", "2:1", "3:1"}));
  policy.routes.largeCommunities = {"1:1:1"};
  service.largeCommunities = {"1:1:2"};
  external.routes.extendedCommunities = {"target:1:1"};
  EXPECT_EQ(attributes().largeCommunities, (Strings{"1:1:1", "1:1:2"}));
  EXPECT_EQ(attributes().extendedCommunities, Strings{"target:1:1"});
  EXPECT_TRUE(inside().extendedCommunities.empty());
}

TEST_F(RoutePolicy, PreferenceStaysInsideAndThePathIsForOthers) {
  policy.routes.localPreference = 200;
  policy.routes.prepend = 2;
  EXPECT_EQ(attributes().localPreference, std::nullopt);
  EXPECT_EQ(attributes().asPath, (std::vector<std::uint32_t>{65001, 65001, 65001}));
  EXPECT_EQ(inside().localPreference, 200U);
  EXPECT_TRUE(inside().asPath.empty());
}

TEST_F(RoutePolicy, ALastResortIsTheLeastAttractiveAndKeepsItsCommunities) {
  policy.routes = {100, 200, std::nullopt, {"1:1"}, {}, {}};
  policy.depreference.communities = {"9:9"};
  EXPECT_EQ(attributes(Standing::lastResort).med, 4294967294U);
  EXPECT_EQ(attributes(Standing::lastResort).asPath.size(), 4U);
  EXPECT_EQ(attributes(Standing::lastResort).communities, (Strings{"1:1", "9:9"}));
  EXPECT_EQ(inside(Standing::lastResort).localPreference, 0U);
}

TEST_F(RoutePolicy, ADrainingNodeSaysSo) {
  policy.routes = {100, 200, std::nullopt, {"1:1"}, {}, {}};
  EXPECT_EQ(attributes(Standing::draining).med, 100U);  // nothing is said about it
  EXPECT_EQ(attributes(Standing::draining).communities, (Strings{"1:1", "65535:0"}));
  EXPECT_EQ(inside(Standing::draining).localPreference, 0U);
}

TEST_F(RoutePolicy, TheNextHopIsTheNeighbors) {
  external.nextHop = ip("192.0.2.99");
  EXPECT_EQ(attributes().nextHop, ip("192.0.2.99"));
  EXPECT_EQ(inside().nextHop, ip("192.0.2.11"));
}

TEST_F(RoutePolicy, EachFamilyAndEachServiceToThoseWhoWantIt) {
  const auto vip6 = host("2001:db8::c633:6401");
  policy.neighbors = {external, internal, neighborOf("2001:db8::1", 65000),
                      neighborOf("192.0.2.3", 65000)};
  policy.neighbors[1].services = {{"web", "mail"}};
  policy.neighbors[3].services = {{"mail"}};
  services[vip6] = {{"web"}, {}};
  const auto routes = wantedRoutes({{vip, Decision::announce}, {vip6, Decision::announce}}, policy,
                                   services, {}, {});
  std::set<std::pair<std::string, std::string>> found;
  for (const auto& [key, attributes] : routes) found.emplace(key.neighbor.str(), key.prefix.str());
  EXPECT_EQ(found,
            (std::set<std::pair<std::string, std::string>>{
                {"192.0.2.1", vip.str()}, {"192.0.2.2", vip.str()}, {"2001:db8::1", vip6.str()}}));
}

TEST_F(RoutePolicy, WhatADecisionMakesOfWhatStandsAndOfWhatDoesNot) {
  policy.neighbors = {external};
  const bgp::RouteKey key{external.address, vip};
  const bgp::Attributes old{ip("192.0.2.11"), 7, {}, {}, {"7:7"}, {}, {}};
  const bgp::RouteSet standing{{key, old}};
  const bgp::RouteSet none;
  const auto as = [&](Standing how) { return bgp::RouteSet{{key, attributes(how)}}; };
  struct Case {
    Decision decision;
    bgp::RouteSet fromNone, fromStanding, drainingFromStanding;
  };
  const Case cases[] = {
      {Decision::announce, as(Standing::normal), as(Standing::normal), as(Standing::draining)},
      {Decision::depreference, as(Standing::lastResort), as(Standing::lastResort),
       as(Standing::lastResort)},
      {Decision::demote, none, as(Standing::lastResort), as(Standing::lastResort)},
      {Decision::keep, none, standing, as(Standing::draining)},
      {Decision::withdraw, none, none, none},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(wanted(one.decision), one.fromNone) << int(one.decision);
    EXPECT_EQ(wanted(one.decision, standing), one.fromStanding) << int(one.decision);
    EXPECT_EQ(wanted(one.decision, none, true), none) << int(one.decision);
    EXPECT_EQ(wanted(one.decision, standing, true), one.drainingFromStanding) << int(one.decision);
  }
  EXPECT_EQ(wanted(Decision::keep, as(Standing::lastResort), true), as(Standing::lastResort));
}

TEST_F(RoutePolicy, WhatIsKeptGoesToThoseWhoWantItOnly) {
  policy.neighbors = {external, internal};
  const bgp::RouteSet standing{{{external.address, vip}, {}},
                               {{internal.address, vip}, {}},
                               {{ip("192.0.2.9"), vip}, {}}};  // not in the site file any more
  policy.neighbors[1].services = {{"mail"}};
  const bgp::RouteSet expected{{{external.address, vip}, {}}};
  EXPECT_EQ(wanted(Decision::keep, standing), expected);
}

TEST(VipServices, AreOfAllServicesThatHaveIt) {
  const auto site = siteOf(R"(
pools: { p: { check: none, servers: [{ name: s1, address: 192.0.2.1 }] } }
services:
  web: { vips: [198.51.100.1, 198.51.100.2], ports: [80], pool: p }
  mail: { vips: [198.51.100.1], ports: [25], pool: p }
)");
  const auto services = vipServicesOf(site);
  ASSERT_EQ(services.size(), 2U);
  EXPECT_EQ(services.at(host("198.51.100.1")).names, (std::set<std::string>{"mail", "web"}));
  EXPECT_EQ(services.at(host("198.51.100.2")).names, std::set<std::string>{"web"});
}

}  // namespace
}  // namespace l4ward::agent
