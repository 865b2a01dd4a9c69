// What routes say, when they are announced, and what a stop does to them.
#include "site_text.h"

namespace l4ward::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

Site load(std::string_view text) {
  EXPECT_THAT(errorsOf(text), IsEmpty());
  return loadSite(text, "f", "host").value_or(Site());
}

// kSiteText's `bgp` with `more` keys.
config::Bgp bgp(const std::string& more) {
  return load(edited("communities: [\"65001:80\"]", more)).bgp.value_or(config::Bgp());
}

TEST(LoadBgp, EveryAttribute) {
  const auto site = load(kRoutesText);
  const auto& routes = site.bgp->routes;
  EXPECT_EQ(routes.med, 100U);
  EXPECT_EQ(routes.localPreference, 4294967295U);
  EXPECT_EQ(routes.prepend, 1U);
  EXPECT_THAT(routes.communities, ElementsAre("65001:80", "65535:65281"));
  EXPECT_THAT(routes.largeCommunities, ElementsAre("65001:1:2"));
  EXPECT_THAT(routes.extendedCommunities, ElementsAre("target:65001:80", "origin:192.0.2.1:65535"));
  const auto& web = site.services.at("web").routes;
  EXPECT_EQ(web.med, 7U);
  EXPECT_EQ(web.localPreference, 0U);
  EXPECT_EQ(web.prepend, 0U);
  EXPECT_THAT(web.communities, ElementsAre("65001:81"));
  EXPECT_THAT(web.largeCommunities, ElementsAre("65001:1:3"));
  EXPECT_THAT(web.extendedCommunities, ElementsAre("target:65001:81"));
  EXPECT_EQ(site.services.at("dns").routes, RouteAttributes());
}

TEST(LoadBgp, NothingIsSaidByDefault) {
  const auto plain = bgp("hold: 30s");
  EXPECT_EQ(plain.routes, RouteAttributes());
  EXPECT_EQ(plain.neighbors.at(0).routes, RouteAttributes());
  EXPECT_EQ(plain.minHold, 0s);
  EXPECT_EQ(plain.announceDelay, 0s);
  EXPECT_EQ(plain.damping, Damping());
}

TEST(LoadBgp, WhatIsGivenReplacesADefault) {
  const auto plain = bgp("depreference: {}\n  draining: {}");
  EXPECT_EQ(plain.depreference, config::Bgp().depreference);
  EXPECT_EQ(plain.draining, config::Bgp().draining);

  const auto site = load(kRoutesText);
  const auto& last = site.bgp->depreference;
  EXPECT_EQ(last.med, 500U);
  EXPECT_EQ(last.localPreference, 0U);
  EXPECT_EQ(last.prepend, 3U);
  EXPECT_THAT(last.communities, ElementsAre("65001:666"));
  const auto& draining = site.bgp->draining;
  EXPECT_EQ(draining.med, std::nullopt);
  EXPECT_EQ(draining.localPreference, 10U);
  EXPECT_EQ(draining.prepend, std::nullopt);
  EXPECT_THAT(draining.communities, IsEmpty());
  EXPECT_THAT(draining.largeCommunities, ElementsAre("65001:0:0"));

  // A list in place of the default's, not in addition to it.
  EXPECT_THAT(bgp("draining: { communities: [\"65001:1\"] }").draining.communities,
              ElementsAre("65001:1"));
  EXPECT_THAT(bgp("draining: { med: 5 }").draining.communities, ElementsAre("65535:0"));
}

TEST(LoadBgp, TimesAndDamping) {
  const auto site = load(kRoutesText);
  EXPECT_EQ(site.bgp->hold, 1min);
  EXPECT_EQ(site.bgp->minHold, 2s);
  EXPECT_EQ(site.bgp->announceDelay, 10s);
  EXPECT_EQ(site.bgp->damping, (Damping{3, 2min, 20s, 10min}));
  EXPECT_EQ(bgp("damping: {changes: 2}").damping, (Damping{2, 1min, 10s, 5min}));
  EXPECT_EQ(bgp("damping: {changes: 2, hold_down: 20m}").damping.max, 20min);
  EXPECT_EQ(bgp("damping: {changes: 2, hold_down: 20m, max: 20m}").damping.max, 20min);
}

TEST(LoadBgp, Stopping) {
  EXPECT_EQ(load(kRoutesText).shutdown, (Shutdown{OnStop::hold, 20s, 3s}));
  EXPECT_EQ(load(kSiteText).shutdown, (Shutdown{OnStop::withdraw, 0s, 5s}));
}

TEST(LoadBgp, VipsThatNeedNotAllTheirServices) {
  EXPECT_THAT(
      load(kRoutesText).announceWhen,
      UnorderedElementsAre(Pair(Prefix::parse("198.51.100.1/32").value(), AnnounceWhen::any),
                           Pair(Prefix::parse("198.51.100.2/32").value(), AnnounceWhen::all),
                           Pair(Prefix::parse("2001:db8:1::/64").value(), AnnounceWhen::all)));
}

class Policy : public testing::TestWithParam<Mistake> {};

TEST_P(Policy, IsOneError) {
  expectError(GetParam());
}

const std::string kHere = "communities: [\"65001:80\"]";
const std::string kCommunityText =
    ", expected a community such as 65001:80, each half 0 to 65535, or a name such as no-export";
const std::string kRouteKeys =
    "expected a key that is known here: med local_preference prepend communities "
    "large_communities extended_communities";
const std::string kUpTo1h = "', expected a duration such as 500ms, 2s or 5m, from 0s to 1h";

INSTANTIATE_TEST_SUITE_P(
    LoadBgp, Policy,
    testing::Values(
        Mistake{kHere, "local_preference: 4294967296",
                "8:21: bgp.local_preference: found '4294967296', expected a whole number from 0 "
                "to 4294967295"},
        Mistake{kHere, "prepend: 17",
                "8:12: bgp.prepend: found '17', expected a whole number from 0 to 16"},
        Mistake{kHere, "communities: [no-exprt]",
                "8:17: bgp.communities[0]: found 'no-exprt'" + kCommunityText +
                    " (did you mean 'no-export'?)"},
        Mistake{kHere, "communities: [[1]]",
                "8:17: bgp.communities[0]: found a list" + kCommunityText},
        Mistake{kHere, "communities: [no-export, \"65535:65281\"]",
                "8:28: bgp.communities[1]: found '65535:65281' a second time, expected each "
                "community once"},
        Mistake{kHere, "communities: [\"65535:65281\", no-export]",
                "8:32: bgp.communities[1]: found 'no-export', which is 65535:65281, a second "
                "time, expected each community once"},
        Mistake{kHere, "large_communities: [\"65001:1\"]",
                "8:23: bgp.large_communities[0]: found '65001:1', expected a large community such "
                "as 65001:1:2, each part 0 to 4294967295"},
        Mistake{kHere, "extended_communities: [\"target:65536:65536\"]",
                "8:26: bgp.extended_communities[0]: found 'target:65536:65536', expected target "
                "or origin, an AS or an IPv4 address, and a number, such as target:65001:80; an "
                "AS above 65535 or an address takes 0 to 65535"},
        Mistake{kHere, "depreference: {metric: 5}",
                "8:18: bgp.depreference.metric: found the key 'metric', " + kRouteKeys},
        Mistake{kHere, "draining: {metric: 5}",
                "8:14: bgp.draining.metric: found the key 'metric', " + kRouteKeys},
        Mistake{kHere, "min_hold: 61m", "8:13: bgp.min_hold: found '61m" + kUpTo1h},
        Mistake{kHere, "announce_delay: 61m", "8:19: bgp.announce_delay: found '61m" + kUpTo1h},
        Mistake{kHere, "damping: 3", "8:12: bgp.damping: found '3', expected a map"},
        Mistake{kHere, "damping: {}",
                "8:12: bgp.damping.changes: found no such key, expected how many withdrawals are "
                "too many"},
        Mistake{kHere, "damping: {changes: 1}",
                "8:22: bgp.damping.changes: found '1', expected a whole number from 2 to 100"},
        Mistake{kHere, "damping: {changes: 3, withn: 1m}",
                "8:25: bgp.damping.withn: found the key 'withn', expected a key that is known "
                "here (did you mean 'within'?)"},
        Mistake{kHere, "damping: {changes: 3, within: 0s}",
                "8:33: bgp.damping.within: found '0s', expected a duration such as 500ms, 2s or "
                "5m, from 1s to 1h"},
        Mistake{kHere, "damping: {changes: 3, hold_down: 20s, max: 19s}",
                "8:46: bgp.damping.max: found '19s', expected at least hold_down, which is 20s"},
        Mistake{kHere, "damping: {changes: 3, max: 9s}",
                "8:30: bgp.damping.max: found '9s', expected at least hold_down, which is 10s by "
                "default"},
        Mistake{"quorum: 1", "bgp: {hold: 5s}",
                "30:11: services.shop.bgp.hold: found the key 'hold', " + kRouteKeys},
        Mistake{"quorum: 1", "bgp: {prepend: -1}",
                "30:20: services.shop.bgp.prepend: found '-1', expected a whole number from 0 to "
                "16"},
        Mistake{"interface: lo", "shutdown: {on_stop: keep}",
                "2:21: shutdown.on_stop: found 'keep', expected withdraw or hold"},
        Mistake{"interface: lo", "shutdown: {graceful: 61m}",
                "2:22: shutdown.graceful: found '61m" + kUpTo1h},
        Mistake{"interface: lo", "vips: [198.51.100.1]", "2:7: vips: found a list, expected a map"},
        Mistake{"interface: lo", "vips: {198.51.100.1: any}",
                "2:22: vips[\"198.51.100.1\"]: found 'any', expected a map"},
        Mistake{"interface: lo", "vips: {198.51.100.1: {announce: any}}",
                "2:23: vips[\"198.51.100.1\"].announce: found the key 'announce', expected a key "
                "that is known here: announce_when"},
        Mistake{"interface: lo", "vips: {198.51.100.1: {announce_when: some}}",
                "2:38: vips[\"198.51.100.1\"].announce_when: found 'some', expected all or any"},
        Mistake{"interface: lo", "vips: {shop: {}}",
                "2:8: vips.shop: found 'shop', expected an IPv4 or IPv6 address, or a prefix as "
                "192.0.2.0/28"},
        Mistake{"interface: lo", "vips: {198.51.100.1: {}, 198.51.100.1/32: {}}",
                "2:26: vips[\"198.51.100.1/32\"]: found the VIP 198.51.100.1 a second time, "
                "expected it once"},
        Mistake{"interface: lo", "vips: {198.51.100.2/32: {}}",
                "2:8: vips[\"198.51.100.2\"]: found 198.51.100.2, expected a VIP of a service (did "
                "you mean '198.51.100.1'?)"},
        Mistake{"interface: lo", "vips: {198.51.100.0/31: {}}",
                "2:8: vips[\"198.51.100.0/31\"]: found 198.51.100.0/31, expected a VIP of a "
                "service"}));

// "65001:0", "65001:1", …
std::string communities(int count) {
  std::string list;
  for (int i = 0; i < count; ++i)
    list += (i > 0 ? ", " : "") + ("'65001:" + std::to_string(i) + "'");
  return "communities: [" + list + "]";
}

TEST(LoadBgp, NoMoreThan64OfAKind) {
  EXPECT_EQ(bgp("draining: {communities: []}\n  " + communities(64)).routes.communities.size(),
            64U);
  EXPECT_THAT(
      errorsOf(edited(kHere, communities(65))),
      ElementsAre("f:8:16: bgp.communities: found a list of 65, expected at most 64 items"));
}

TEST(LoadBgp, NoMoreThan64TogetherOfARoute) {
  // `draining` has one by default.
  const auto text = edited(
      "quorum: 1", "bgp: {" + communities(21) + "}",
      edited("peer_as: 65000", "peer_as: 1, " + communities(21), edited(kHere, communities(21))));
  EXPECT_THAT(errorsOf(text), IsEmpty());
  const auto more = edited("bgp: {" + communities(21), "bgp: {" + communities(22), text);
  EXPECT_THAT(errorsOf(more),
              ElementsAre("f:7:54: bgp.neighbors[0].communities: found 65 with those of `bgp`, of "
                          "service 'shop' and of `depreference` or `draining`, expected at most 64 "
                          "of all kinds together"));
  const auto large = edited("bgp: {" + communities(21),
                            "bgp: {large_communities: ['1:2:3'], " + communities(21), text);
  EXPECT_THAT(errorsOf(large), ElementsAre(HasSubstr("found 65 with those of `bgp`")));
  const auto second = edited(
      "services:", "services:\n  small: {vips: [198.51.100.2], ports: [80], pool: edge}", more);
  EXPECT_THAT(errorsOf(edited("peer_as: 1, ", "peer_as: 1, services: [small], ", second)),
              IsEmpty());
}

TEST(LoadBgp, NothingIsHeldThatIsNotKept) {
  const auto text = edited(kHere, "hold: 0s") + "shutdown: {on_stop: hold}\n";
  EXPECT_THAT(errorsOf(text),
              ElementsAre("f:31:21: shutdown.on_stop: found 'hold' with a `bgp.hold` of 0s, "
                          "expected withdraw, or a `bgp.hold` for which routes outlive the agent"));
  EXPECT_THAT(errorsOf(edited("hold: 0s", "hold: 1s", text)), IsEmpty());
}

TEST(LoadBgp, AllMistakesOfAMapAtOnce) {
  EXPECT_THAT(errorsOf(edited(kHere, "damping: {within: 2h, max: x}\n  med: y")),
              ElementsAre(HasSubstr("8:12: bgp.damping.changes: found no such key"),
                          HasSubstr("8:21: bgp.damping.within: found '2h'"),
                          HasSubstr("8:30: bgp.damping.max: found 'x'"),
                          HasSubstr("9:8: bgp.med: found 'y'")));
}

}  // namespace
}  // namespace l4ward::config
