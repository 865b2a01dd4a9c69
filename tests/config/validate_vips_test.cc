#include "site_text.h"

namespace l4ward::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kApart = ", expected VIPs that are equal or have no address in common";

// kSiteText, where the check has a port of its own, and a service more.
std::string with(const std::string& service, std::string text = std::string(kSiteText)) {
  return edited("path: /up", "port: 80", std::move(text)) + "  more: { " + service +
         ", pool: edge }\n";
}

std::vector<std::string> errorsWith(const std::string& service) {
  return errorsOf(with(service));
}

TEST(ValidateVips, ARangeTakesNobodysAddress) {
  EXPECT_THAT(errorsOf(edited("[198.51.100.1]", "[192.0.2.96/29]")),
              ElementsAre("f:27:12: services.shop.vips[0]: found 192.0.2.96/29, which contains "
                          "192.0.2.101, the address of server 'a' in pool 'edge', expected "
                          "addresses of its own"));
  EXPECT_THAT(errorsOf(edited("[198.51.100.1]", "[192.0.2.0/30]")),
              ElementsAre("f:27:12: services.shop.vips[0]: found 192.0.2.0/30, which contains "
                          "192.0.2.1, the address of a BGP neighbor, expected addresses of its "
                          "own"));
  EXPECT_THAT(errorsOf(edited("[198.51.100.1]", "[192.0.2.8/29]")),
              ElementsAre("f:27:12: services.shop.vips[0]: found 192.0.2.8/29, which contains "
                          "192.0.2.11, the address of this node towards 192.0.2.1, expected "
                          "addresses of its own"));
  EXPECT_THAT(errorsOf(edited("[198.51.100.1]", "[192.0.2.104/29]")), IsEmpty());
}

TEST(ValidateVips, OverlapsNameTheOther) {
  EXPECT_THAT(errorsWith("vips: [198.51.100.0/28], ports: [8080]"),
              ElementsAre("f:31:18: services.more.vips[0]: found 198.51.100.0/28, which overlaps "
                          "198.51.100.1 of service 'shop' (line 27)" +
                          kApart));
  EXPECT_THAT(errorsOf(edited("[198.51.100.1]", "[198.51.100.1, 198.51.100.0/31]")),
              ElementsAre("f:27:26: services.shop.vips[1]: found 198.51.100.0/31, which overlaps "
                          "198.51.100.1 of service 'shop' (line 27)" +
                          kApart));
}

TEST(ValidateVips, EachVipThatOverlapsIsNamedOnce) {
  const auto text = edited("[198.51.100.1]", "[198.51.100.0/24]");
  EXPECT_THAT(errorsOf(with("vips: [198.51.100.0/28, 198.51.100.1, 198.51.100.77], mark: 7", text)),
              ElementsAre(HasSubstr("vips[0]: found 198.51.100.0/28, which overlaps "
                                    "198.51.100.0/24 of service 'shop' (line 27)"),
                          HasSubstr("vips[1]: found 198.51.100.1, which overlaps "
                                    "198.51.100.0/28 of service 'more' (line 31)"),
                          HasSubstr("vips[2]: found 198.51.100.77, which overlaps "
                                    "198.51.100.0/24 of service 'shop' (line 27)")));
}

TEST(ValidateVips, NeighboursAndOtherFamiliesDoNotOverlap) {
  EXPECT_THAT(
      errorsOf(edited("[198.51.100.1]", "[198.51.100.0/28, 198.51.100.16/28, 198.51.100.32]")),
      IsEmpty());
  const auto both = edited("forward: direct", "forward: tunnel");
  EXPECT_THAT(errorsOf(edited("[198.51.100.1]", "[32.1.0.0/24, '2001::/120']", both)), IsEmpty());
}

TEST(ValidateVips, EqualVipsShareAllButAPort) {
  EXPECT_THAT(errorsWith("vips: [198.51.100.1], ports: [8080]"), IsEmpty());
  EXPECT_THAT(errorsWith("vips: [198.51.100.1], ports: all, persistence: {}"), IsEmpty());
  EXPECT_THAT(errorsWith("vips: [198.51.100.1], ports: [80], mark: 7"), IsEmpty());
  EXPECT_THAT(errorsOf(with("vips: [198.51.100.0/28], ports: [443]",
                            edited("[198.51.100.1]", "[198.51.100.0/28]"))),
              ElementsAre("f:31:18: services.more.vips[0]: found 198.51.100.0/28 at port 443, "
                          "which service 'shop' (line 26) has too, expected each VIP, port and "
                          "protocol in one service"));
}

TEST(ValidateVips, AllPortsTwice) {
  const auto all = edited("quorum: 1", "persistence: {}", edited("[80, 443]", "all"));
  EXPECT_THAT(errorsOf(with("vips: [198.51.100.1], ports: all, persistence: {}", all)),
              ElementsAre("f:31:18: services.more.vips[0]: found 198.51.100.1 at all ports, which "
                          "service 'shop' (line 26) has too, expected each VIP, port and protocol "
                          "in one service"));
  EXPECT_THAT(
      errorsOf(with("vips: [198.51.100.1], ports: all, persistence: {}, protocol: udp", all)),
      IsEmpty());
}

TEST(ValidateVips, OneMarkInTwoServices) {
  const auto marked = edited("quorum: 1", "mark: 7");
  EXPECT_THAT(errorsOf(with("vips: [198.51.100.2], mark: 7", marked)),
              ElementsAre("f:31:39: services.more.mark: found 7, which service 'shop' (line 26) "
                          "has too, expected each mark in one service"));
  EXPECT_THAT(errorsOf(with("vips: [198.51.100.1], mark: 8", marked)), IsEmpty());
}

TEST(ValidateVips, ServicesOfAVipSayTheSameOfItsRoute) {
  const auto med = edited("quorum: 1", "bgp: {med: 5, communities: [\"1:2\", no-export]}");
  const auto differ = [](const std::string& place) {
    return "f:" + place +
           ": services.more.bgp: found other attributes than service 'shop' (line 26) has, which "
           "shares 198.51.100.1, expected equal `bgp` in services that share a VIP";
  };
  const std::string shared = "vips: [198.51.100.2, 198.51.100.1], ports: [8080]";
  EXPECT_THAT(errorsOf(with(shared, med)), ElementsAre(differ("31:3")));
  EXPECT_THAT(errorsOf(with(shared + ", bgp: {med: 6}", med)), ElementsAre(differ("31:67")));
  EXPECT_THAT(errorsOf(with(shared + ", bgp: {communities: [no-export, \"1:2\"], med: 5}", med)),
              IsEmpty());
  EXPECT_THAT(errorsOf(with("vips: [198.51.100.2], ports: [80], bgp: {med: 6}", med)), IsEmpty());
  // Not of what was wrong by itself.
  EXPECT_THAT(errorsOf(with(shared + ", bgp: {med: x}", med)),
              ElementsAre(HasSubstr("services.more.bgp.med: found 'x'")));
  EXPECT_THAT(errorsOf(with(shared, edited("med: 5", "med: x", med))),
              ElementsAre(HasSubstr("services.shop.bgp.med: found 'x'")));
}

TEST(ValidateVips, ARangeCountsAllItsAddresses) {
  const std::string limit =
      "expected at most 65536; with `mark` a service is one, whatever its "
      "VIPs and ports";
  EXPECT_THAT(errorsOf(edited("[198.51.100.1]", "[10.0.0.0/17]")), IsEmpty());
  EXPECT_THAT(
      errorsOf(edited("[198.51.100.1]", "[10.0.0.0/16]")),
      ElementsAre("f:27:12: services.shop.vips[0]: found 131072 pairs of VIP and port, " + limit));
  EXPECT_THAT(errorsOf(edited("[198.51.100.1]", "[10.0.0.0/17, 198.51.100.1]")),
              ElementsAre("f:26:3: services: found 65538 pairs of VIP and port, " + limit));
  const auto v6 = edited("forward: direct", "forward: tunnel");
  for (const auto* wide : {"['2001:db8::/32']", "['2001:db8::/64']", "['2001:db8::/65']"}) {
    EXPECT_THAT(errorsOf(edited("[198.51.100.1]", wide, v6)),
                ElementsAre("f:27:12: services.shop.vips[0]: found 2^64 or more pairs of VIP and "
                            "port, " +
                            limit));
  }
}

TEST(ValidateVips, AMarkCountsNothing) {
  const auto text = edited("forward: direct", "forward: tunnel",
                           edited("quorum: 1", "mark: 7", edited("path: /up", "port: 80")));
  EXPECT_THAT(errorsOf(edited("[198.51.100.1]", "['2001:db8::/32', 10.0.0.0/8]", text)), IsEmpty());
}

}  // namespace
}  // namespace l4ward::config
