// To whom routes are announced.
#include "site_text.h"

namespace l4ward::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

std::vector<Neighbor> neighborsOf(std::string_view text) {
  EXPECT_THAT(errorsOf(text), IsEmpty());
  return loadSite(text, "f", "host").value_or(Site()).bgp.value_or(config::Bgp()).neighbors;
}

TEST(LoadNeighbors, EveryKey) {
  const auto neighbors = neighborsOf(kRoutesText);
  ASSERT_EQ(neighbors.size(), 3U);
  const auto& inside = neighbors[0];
  EXPECT_TRUE(inside.passive);
  EXPECT_EQ(inside.port, 1790);
  EXPECT_EQ(inside.routes.med, 0U);
  EXPECT_EQ(inside.routes.localPreference, 300U);
  EXPECT_EQ(inside.routes.prepend, std::nullopt);
  EXPECT_THAT(inside.routes.communities, ElementsAre("65535:666"));
  EXPECT_EQ(inside.services, std::nullopt);
  const auto& outside = neighbors[1];
  EXPECT_EQ(outside.localAddress, ip("192.0.2.11"));
  EXPECT_EQ(outside.nextHop, ip("192.0.2.12"));
  EXPECT_EQ(outside.multihop, 255U);
  EXPECT_EQ(outside.routes.prepend, 16U);
  EXPECT_THAT(outside.services.value(), ElementsAre("dns", "web"));
  const auto& v6 = neighbors[2];
  EXPECT_EQ(v6.nextHop, ip("2001:db8::11"));
  EXPECT_EQ(v6.ttlSecurity, 254U);
}

TEST(LoadNeighbors, Defaults) {
  const auto neighbor = neighborsOf(kSiteText).at(0);
  EXPECT_EQ(neighbor.nextHop, ip("192.0.2.11"));
  EXPECT_EQ(neighbor.multihop, 0U);
  EXPECT_EQ(neighbor.ttlSecurity, 0U);
  EXPECT_FALSE(neighbor.passive);
  EXPECT_EQ(neighbor.port, 179);
  EXPECT_EQ(neighbor.services, std::nullopt);
}

TEST(LoadNeighbors, TheNextHopFollowsTheLocalAddress) {
  EXPECT_EQ(neighborsOf(edited("peer_as: 65000", "peer_as: 65000, local_address: 192.0.2.12"))
                .at(0)
                .nextHop,
            ip("192.0.2.12"));
}

class Wrong : public testing::TestWithParam<Mistake> {};

TEST_P(Wrong, IsOneError) {
  expectError(GetParam());
}

const std::string kPeer = "peer_as: 65000";
const std::string kPath = "bgp.neighbors[0].";

INSTANTIATE_TEST_SUITE_P(
    LoadNeighbors, Wrong,
    testing::Values(
        Mistake{kPeer, "peer_as: 1, nexthop: 192.0.2.12",
                "7:41: " + kPath +
                    "nexthop: found the key 'nexthop', expected a key that is known here (did you "
                    "mean 'next_hop'?)"},
        Mistake{kPeer, "peer_as: 1, next_hop: \"2001:db8::12\"",
                "7:51: " + kPath +
                    "next_hop: found '2001:db8::12', expected an IPv4 address, as the neighbor's"},
        Mistake{kPeer, "peer_as: 1, next_hop: 192.0.2.1",
                "7:51: " + kPath +
                    "next_hop: found '192.0.2.1', expected an address of this node, not the "
                    "neighbor's"},
        Mistake{kPeer, "peer_as: 1, next_hop: 224.0.0.1",
                "7:51: " + kPath +
                    "next_hop: found '224.0.0.1', expected an address of one host that needs no "
                    "zone"},
        Mistake{kPeer, "peer_as: 1, multihop: 1",
                "7:51: " + kPath + "multihop: found '1', expected a whole number from 2 to 255"},
        Mistake{
            kPeer, "peer_as: 1, ttl_security: 255",
            "7:55: " + kPath + "ttl_security: found '255', expected a whole number from 1 to 254"},
        Mistake{kPeer, "peer_as: 1, multihop: 3, ttl_security: 1",
                "7:68: " + kPath +
                    "ttl_security: found this key for a neighbor with `multihop`, expected one of "
                    "the two"},
        Mistake{kPeer, "peer_as: 1, passive: yes",
                "7:50: " + kPath + "passive: found 'yes', expected true or false"},
        Mistake{kPeer, "peer_as: 1, port: 0",
                "7:47: " + kPath + "port: found '0', expected a whole number from 1 to 65535"},
        Mistake{kPeer, "peer_as: 1, services: shop",
                "7:51: " + kPath + "services: found 'shop', expected a list"},
        Mistake{kPeer, "peer_as: 1, services: []",
                "7:51: " + kPath + "services: found an empty list, expected 1 to 1024 items"},
        Mistake{kPeer, "peer_as: 1, services: [shop, shop]",
                "7:58: " + kPath +
                    "services[1]: found 'shop' a second time, expected each service once"},
        Mistake{kPeer, "peer_as: 1, services: [shop, shp]",
                "7:58: " + kPath +
                    "services: found 'shp', expected the name of a service (did you mean 'shop'?)"},
        Mistake{kPeer, "peer_as: 1, local_preference: 5",
                "7:59: " + kPath +
                    "local_preference: found this key for a neighbor of another AS, expected it "
                    "for neighbors of the own AS, the only ones that hear it"},
        Mistake{kPeer, "peer_as: 65001, prepend: 1",
                "7:54: " + kPath +
                    "prepend: found this key for a neighbor of the own AS, expected it for "
                    "neighbors of other ASes: within the AS the path stays as it is"},
        Mistake{kPeer, "peer_as: 1, communities: [no-exports]",
                "7:55: " + kPath +
                    "communities[0]: found 'no-exports', expected a community such as 65001:80, "
                    "each half 0 to 65535, or a name such as no-export (did you mean "
                    "'no-export'?)"}));

TEST(LoadNeighbors, NothingMoreIsSaidOfAnAsThatIsWrong) {
  const auto text = edited(kPeer, "peer_as: x, prepend: 1, local_preference: 1");
  EXPECT_THAT(errorsOf(text), ElementsAre(HasSubstr("peer_as: found 'x'")));
  EXPECT_THAT(errorsOf(edited("local_as: 65001", "local_as: 0",
                              edited(kPeer, "peer_as: 1, prepend: 1, local_preference: 1"))),
              ElementsAre(HasSubstr("bgp.local_as: found '0'")));
}

TEST(LoadNeighbors, APassiveSessionOverIpv6HasNoTtlSecurity) {
  const std::string text(kRoutesText);
  EXPECT_THAT(errorsOf(edited("ttl_security: 254", "ttl_security: 254, passive: true", text)),
              ElementsAre(HasSubstr("ttl_security: found this key for a passive IPv6 neighbor")));
  EXPECT_THAT(errorsOf(edited(kPeer, "peer_as: 1, ttl_security: 1, passive: true")), IsEmpty());
}

TEST(LoadNeighbors, AVipIsNobodysNextHop) {
  EXPECT_THAT(errorsOf(edited(kPeer, "peer_as: 1, next_hop: 198.51.100.1")),
              ElementsAre("f:27:12: services.shop.vips[0]: found 198.51.100.1, the address of the "
                          "next hop for 192.0.2.1, expected an address of its own"));
}

}  // namespace
}  // namespace l4ward::config
