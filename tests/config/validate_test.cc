#include "config/validate.h"

#include "site_text.h"

namespace l4ward::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Whole : public testing::TestWithParam<Mistake> {};

TEST_P(Whole, IsOneError) {
  expectError(GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Validate, Whole,
    testing::Values(
        Mistake{"check: web", "check: wev",
                "21:12: pools.edge.check: found 'wev', expected the name of a check, or none (did "
                "you mean 'web'?)"},
        Mistake{"pool: edge", "pool: none",
                "29:11: services.shop.pool: found 'none', expected the name of a pool"},
        Mistake{"quorum: 1", "quorum: 3",
                "30:13: services.shop.quorum: found 3 servers, expected at most the 2 that pool "
                "'edge' has"},
        Mistake{"[198.51.100.1]", "[192.0.2.102]",
                "27:12: services.shop.vips[0]: found 192.0.2.102, the address of server 'b' in "
                "pool 'edge', expected an address of its own"},
        Mistake{"[198.51.100.1]", "[192.0.2.1]",
                "27:12: services.shop.vips[0]: found 192.0.2.1, the address of a BGP neighbor, "
                "expected an address of its own"},
        Mistake{"[198.51.100.1]", "[192.0.2.11]",
                "27:12: services.shop.vips[0]: found 192.0.2.11, the address of this node towards "
                "192.0.2.1, expected an address of its own"},
        Mistake{"address: 192.0.2.102,", "address: \"2001:db8::66\",",
                "27:12: services.shop.vips[0]: found VIP 198.51.100.1 of service 'shop', and in "
                "pool 'edge' server 'b' without an IPv4 address, expected an IPv4 address for "
                "every server, because `forward: direct` cannot cross families (tunnel can)"}));

TEST(Validate, FamiliesTheOtherWayAndThroughMasquerade) {
  const auto text = edited("forward: direct", "forward: masquerade",
                           edited("[198.51.100.1]", "[\"2001:db8::1\"]"));
  EXPECT_THAT(errorsOf(text), ElementsAre(HasSubstr("server 'a' and 1 more without an IPv6")));
}

TEST(Validate, AServerWithBothFamiliesServesBoth) {
  EXPECT_THAT(
      errorsOf(edited("address: 192.0.2.101", "address: [192.0.2.101, \"2001:db8::65\"]",
                      edited("address: 192.0.2.102,", "address: [\"2001:db8::66\", 192.0.2.102],",
                             edited("[198.51.100.1]", "[198.51.100.1, \"2001:db8::1\"]")))),
      IsEmpty());
}

TEST(Validate, OneEndpointInTwoServices) {
  const std::string second =
      "  a-second: { vips: [198.51.100.2, 198.51.100.1], ports: [8080, 443, 80], pool: edge";
  EXPECT_THAT(errorsOf(std::string(kSiteText) + second + "}\n"),
              ElementsAre("f:31:36: services.a-second.vips[1]: found 198.51.100.1:443, which "
                          "service 'shop' (line 26) has too, expected each VIP, port and protocol "
                          "in one service"));
  EXPECT_THAT(errorsOf(std::string(kSiteText) + second + ", protocol: udp}\n"), IsEmpty());
}

TEST(Validate, NoMoreEndpointsThanAKernelShouldHold) {
  std::string ports = "[1";
  for (int i = 2; i <= 64; ++i) ports += ", " + std::to_string(i);
  ports += "]";
  std::string text(kSiteText);
  for (int i = 0; i < 5; ++i) {
    text += "  s" + std::to_string(i) + ":\n    pool: edge\n    ports: " + ports + "\n    vips:\n";
    for (int j = 0; j < 250; ++j) {
      text += "      - 203.0." + std::to_string(i) + "." + std::to_string(j) + "\n";
    }
  }
  EXPECT_THAT(errorsOf(text), ElementsAre(HasSubstr("found 80002 pairs of VIP and port")));
}

TEST(Validate, AnIpv4VipInFrontOfIpv6ServersIsFine) {
  EXPECT_THAT(errorsOf(edited("192.0.2.101", "'2001:db8::65'",
                              edited("192.0.2.102", "'2001:db8::66'",
                                     edited("forward: direct", "forward: tunnel")))),
              IsEmpty());
}

TEST(Validate, SynchronisationKeepsFamiliesApart) {
  const auto text =
      edited("192.0.2.102", "'2001:db8::66'", edited("forward: direct", "forward: tunnel"));
  for (const auto* daemon : {"master", "backup"}) {
    const auto sync = "ipvs:\n  sync: {" + std::string(daemon) + ": {interface: e, id: 1}}\n";
    EXPECT_THAT(errorsOf(text + sync),
                ElementsAre("f:32:9: ipvs.sync: found VIP 198.51.100.1 of service 'shop', and in "
                            "pool 'edge' server 'b' without an IPv4 address, expected an IPv4 "
                            "address for every server, because the kernel synchronises no "
                            "connections while any service crosses families"));
    EXPECT_THAT(errorsOf(std::string(kSiteText) + sync), IsEmpty());
  }
  EXPECT_THAT(errorsOf(text + "ipvs: {sync: {}}\n"), IsEmpty());
}

TEST(Validate, ACheckOfAServiceWithoutASinglePort) {
  const std::string expected =
      "f:10:3: checks.web.port: found no such key, expected a port, because service 'shop' has no "
      "single one";
  for (const auto* key : {"mark: 7", "mark: 7\n    one_packet: true"}) {
    const auto text = edited("quorum: 1", key);
    EXPECT_THAT(errorsOf(text), ElementsAre(expected));
    EXPECT_THAT(errorsOf(edited("path: /up", "port: 80", text)), IsEmpty());
    EXPECT_THAT(errorsOf(edited("check: web", "check: none", text)), IsEmpty());
  }
  const auto all = edited("quorum: 1", "persistence: {}", edited("[80, 443]", "all"));
  EXPECT_THAT(errorsOf(all), ElementsAre(expected));
  EXPECT_THAT(errorsOf(edited("path: /up", "port: 0", all)),
              ElementsAre(HasSubstr("checks.web.port: found '0'")));
}

TEST(Validate, OneErrorForACheckThatLacksAPort) {
  EXPECT_THAT(errorsOf(edited("quorum: 1", "mark: 7") +
                       "  a-second: { vips: [198.51.100.2], mark: 8, pool: edge }\n"),
              ElementsAre(HasSubstr("because service 'a-second'")));
}

TEST(Validate, SaysNothingMoreOfWhatWasWrongByItself) {
  // The server with a bad address neither lacks a family nor changes the quorum's base.
  EXPECT_THAT(errorsOf(edited("192.0.2.102", "nowhere", edited("quorum: 1", "quorum: 2"))),
              ElementsAre(HasSubstr("found 'nowhere'")));
  // A check that is broken is still a check.
  EXPECT_THAT(errorsOf(edited("type: http", "type: httq")), ElementsAre(HasSubstr("'httq'")));
  EXPECT_THAT(errorsOf(edited("[198.51.100.1]", "[0.0.0.0, 0.0.0.0, '::']")),
              ElementsAre(HasSubstr("vips[0]"), HasSubstr("vips[1]"), HasSubstr("vips[2]")));
}

}  // namespace
}  // namespace l4ward::config
