// Ranges, marks, schedulers, persistence and thresholds: what they say and one mistake each.
#include "site_text.h"

namespace l4ward::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Prefix net(std::string_view text) {
  return Prefix::parse(text).value();
}

Site load(std::string_view text) {
  EXPECT_THAT(errorsOf(text), IsEmpty());
  return loadSite(text, "f", "host").value_or(Site());
}

// kSiteText's service with `more` keys.
Service shop(const std::string& more) {
  return load(edited("quorum: 1", more)).services.at("shop");
}

TEST(LoadServices, EveryKey) {
  const auto services = load(kIpvsText).services;
  const auto& web = services.at("web");
  EXPECT_THAT(web.vips,
              ElementsAre(net("198.51.100.0/28"), net("2001:db8::/124"), net("203.0.113.7/32")));
  EXPECT_EQ(web.mark, std::nullopt);
  EXPECT_EQ(web.scheduler, "sh");
  EXPECT_THAT(web.schedulerFlags, ElementsAre("sh-fallback", "sh-port"));
  EXPECT_EQ(web.persistence, (Persistence{10min, 24, 64, ""}));
  EXPECT_FALSE(web.onePacket);
  const auto& phone = services.at("phone");
  EXPECT_EQ(phone.mark, 4294967295U);
  EXPECT_THAT(phone.ports, ElementsAre(0));
  EXPECT_EQ(phone.persistence, (Persistence{5min, 32, 128, "sip"}));
  const auto& rest = services.at("rest");
  EXPECT_THAT(rest.ports, ElementsAre(0));
  EXPECT_EQ(rest.persistence, Persistence());
  const auto& dns = services.at("dns");
  EXPECT_EQ(dns.scheduler, "twos");
  EXPECT_THAT(dns.schedulerFlags, ElementsAre("flag-1", "flag-3"));
  EXPECT_TRUE(dns.onePacket);
  EXPECT_EQ(dns.persistence, std::nullopt);
}

TEST(LoadServices, ThresholdsOfThePoolAndOfAServer) {
  const auto servers = load(kIpvsText).pools.at("edge").servers;
  EXPECT_EQ(servers.at(0).thresholds, (Thresholds{1000, 800}));
  EXPECT_EQ(servers.at(1).thresholds, (Thresholds{500, 0}));
  EXPECT_EQ(load(kSiteText).pools.at("edge").servers.at(0).thresholds, Thresholds());
}

TEST(LoadServices, EachSchedulersOwnFlags) {
  EXPECT_THAT(shop("scheduler: mh").schedulerFlags, ElementsAre("mh-fallback", "mh-port"));
  EXPECT_THAT(shop("scheduler: mh\n    scheduler_flags: []").schedulerFlags, IsEmpty());
  EXPECT_THAT(shop("scheduler: sh").schedulerFlags, IsEmpty());
  EXPECT_THAT(shop("scheduler: wrr").schedulerFlags, IsEmpty());
  for (const auto* name :
       {"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sed", "nq", "fo", "ovf", "twos"}) {
    const std::string keys = "\n    scheduler_flags: [flag-2, flag-3, flag-1]";
    const auto service = shop("scheduler: " + std::string(name) + keys);
    EXPECT_EQ(service.scheduler, name);
    EXPECT_THAT(service.schedulerFlags, ElementsAre("flag-1", "flag-2", "flag-3"));
  }
}

TEST(LoadServices, AnAddressIsItsOwnPrefix) {
  EXPECT_EQ(load(edited("198.51.100.1", "198.51.100.1/32")), load(kSiteText));
}

TEST(LoadServices, TheWidestPrefixes) {
  const auto text = edited("quorum: 1", "mark: 1", edited("198.51.100.1", "10.0.0.0/8"));
  EXPECT_THAT(load(edited("path: /up", "port: 80", text)).services.at("shop").vips,
              ElementsAre(net("10.0.0.0/8")));
}

TEST(LoadServices, AMarkMayHavePorts) {
  const auto port = edited("path: /up", "port: 80");
  EXPECT_THAT(load(edited("quorum: 1", "mark: 1", port)).services.at("shop").ports,
              ElementsAre(80, 443));
  EXPECT_THAT(load(edited("[80, 443]", "all\n    mark: 1", port)).services.at("shop").ports,
              ElementsAre(0));
}

TEST(LoadServices, AMarkSuitsEveryProtocol) {
  const auto port = edited("path: /up", "port: 80");
  EXPECT_TRUE(load(edited("quorum: 1", "mark: 1\n    one_packet: true", port))
                  .services.at("shop")
                  .onePacket);
  EXPECT_EQ(load(edited("quorum: 1", "mark: 1\n    persistence: {engine: sip}", port))
                .services.at("shop")
                .persistence->engine,
            "sip");
}

TEST(LoadServices, OnePacketThatIsOffGoesWithEverything) {
  EXPECT_FALSE(shop("one_packet: false\n    persistence: {}").onePacket);
}

class Key : public testing::TestWithParam<Mistake> {};

TEST_P(Key, IsOneError) {
  expectError(GetParam());
}

const std::string kVip = "27:12: services.shop.vips[0]: found ";
const std::string kOneHost = ", expected an address of one host that can be announced";
const std::string kPersistence = "services.shop.persistence";
const std::string kOnePacket = "services.shop.one_packet: found ";

INSTANTIATE_TEST_SUITE_P(
    LoadServices, Key,
    testing::Values(
        Mistake{"198.51.100.1", "198.51.100.1/28",
                kVip + "'198.51.100.1/28', expected a prefix without host bits, as "
                       "198.51.100.0/28"},
        Mistake{"198.51.100.1", "'2001:db8::1/124'",
                kVip + "'2001:db8::1/124', expected a prefix without host bits, as "
                       "2001:db8::/124"},
        Mistake{"198.51.100.1", "198.51.100.0/33",
                kVip + "'198.51.100.0/33', expected a prefix length from 0 to 32"},
        Mistake{"198.51.100.1", "198.51.100.0/028",
                kVip + "'198.51.100.0/028', expected a prefix length from 0 to 32"},
        Mistake{"198.51.100.1", "198.51.100.0/",
                kVip + "'198.51.100.0/', expected a prefix length from 0 to 32"},
        Mistake{"198.51.100.1", "'2001:db8::/129'",
                kVip + "'2001:db8::/129', expected a prefix length from 0 to 128"},
        Mistake{"198.51.100.1", "198.51.100/24",
                kVip + "'198.51.100/24', expected an IPv4 or IPv6 address, or a prefix as "
                       "192.0.2.0/28"},
        Mistake{"198.51.100.1", "'::ffff:192.0.2.0/120'",
                kVip + "'::ffff:192.0.2.0/120', expected the IPv4 address itself, as 192.0.2.1"},
        Mistake{"198.51.100.1", "10.0.0.0/7",
                kVip + "'10.0.0.0/7', expected a prefix of /8 or longer"},
        Mistake{"198.51.100.1", "0.0.0.0/0",
                kVip + "'0.0.0.0/0', expected a prefix of /8 or longer"},
        Mistake{"198.51.100.1", "'2001:db8::/31'",
                kVip + "'2001:db8::/31', expected a prefix of /32 or longer"},
        Mistake{"198.51.100.1", "0.0.0.0/8",
                kVip + "'0.0.0.0/8', the unspecified address" + kOneHost},
        Mistake{"198.51.100.1", "224.0.0.0/28",
                kVip + "'224.0.0.0/28', an address of many hosts" + kOneHost},
        Mistake{"198.51.100.1", "255.255.255.0/24",
                kVip + "'255.255.255.0/24', an address of many hosts" + kOneHost},
        Mistake{"198.51.100.1", "127.0.0.0/8",
                kVip + "'127.0.0.0/8', a loopback address" + kOneHost},
        Mistake{"198.51.100.1", "169.254.7.0/24",
                kVip + "'169.254.7.0/24', a link-local address" + kOneHost},
        Mistake{"198.51.100.1", "169.0.0.0/8",
                kVip + "'169.0.0.0/8', a link-local address" + kOneHost},
        Mistake{"198.51.100.1", "'fe80::/64'",
                kVip + "'fe80::/64', a link-local address" + kOneHost},
        Mistake{"198.51.100.1", "198.51.100.0/28, 198.51.100.0/28",
                "27:29: services.shop.vips[1]: found '198.51.100.0/28' a second time, expected "
                "each address once a service"},
        Mistake{"[80, 443]", "al",
                "28:12: services.shop.ports: found 'al', expected a list of ports, or all"},
        Mistake{"[80, 443]", "[all]",
                "28:13: services.shop.ports[0]: found 'all', expected a whole number from 1 to "
                "65535"},
        Mistake{"[80, 443]", "[0]",
                "28:13: services.shop.ports[0]: found '0', expected a whole number from 1 to "
                "65535"},
        Mistake{"quorum: 1", "persistence: 5m",
                "30:18: " + kPersistence + ": found '5m', expected a map"},
        Mistake{"quorum: 1", "persistence: {time: 5m}",
                "30:19: " + kPersistence +
                    ".time: found the key 'time', expected a key that is known here: timeout mask "
                    "mask6 engine"},
        Mistake{"quorum: 1", "persistence: {timeout: 0s}",
                "30:28: " + kPersistence +
                    ".timeout: found '0s', expected a duration such as 500ms, 2s or 5m, from 1s "
                    "to 744h"},
        Mistake{"quorum: 1", "persistence: {timeout: 1500ms}",
                "30:28: " + kPersistence + ".timeout: found '1500ms', expected whole seconds"},
        Mistake{
            "quorum: 1", "persistence: {mask: 33}",
            "30:25: " + kPersistence + ".mask: found '33', expected a whole number from 1 to 32"},
        Mistake{"quorum: 1", "persistence: {mask: 255.255.255.0}",
                "30:25: " + kPersistence +
                    ".mask: found '255.255.255.0', expected a whole number from 1 to 32"},
        Mistake{
            "quorum: 1", "persistence: {mask6: 0}",
            "30:26: " + kPersistence + ".mask6: found '0', expected a whole number from 1 to 128"},
        Mistake{"quorum: 1", "protocol: udp\n    persistence: {engine: rtp}",
                "31:27: " + kPersistence + ".engine: found 'rtp', expected sip"},
        Mistake{"quorum: 1", "persistence: {engine: sip}",
                "30:27: " + kPersistence +
                    ".engine: found 'sip', expected it only with `protocol: udp` or `mark`"},
        Mistake{"quorum: 1", "one_packet: yes",
                "30:17: " + kOnePacket + "'yes', expected true or false"},
        Mistake{"quorum: 1", "one_packet: true",
                "30:17: " + kOnePacket +
                    "'true', expected it only with `protocol: udp` or "
                    "`mark`"},
        Mistake{"quorum: 1", "protocol: sctp\n    one_packet: true",
                "31:17: " + kOnePacket +
                    "'true', expected it only with `protocol: udp` or "
                    "`mark`"},
        Mistake{"quorum: 1", "protocol: udb\n    one_packet: true",
                "30:15: services.shop.protocol: found 'udb', expected tcp, udp or sctp (did you "
                "mean 'udp'?)"},
        Mistake{"quorum: 1", "protocol: udp\n    one_packet: true\n    persistence: {}",
                "31:17: " + kOnePacket +
                    "this key in a service with `persistence`, expected one of the two"}));

TEST(LoadServices, AllPortsNeedPersistenceOrAMark) {
  const auto port = edited("path: /up", "port: 80");
  const auto all = edited("[80, 443]", "all", port);
  EXPECT_THAT(errorsOf(all),
              ElementsAre("f:28:12: services.shop.ports: found 'all', expected `persistence` or "
                          "`mark` with it, or a list of ports"));
  EXPECT_THAT(errorsOf(edited("quorum: 1", "persistence: {}", all)), IsEmpty());
  EXPECT_THAT(errorsOf(edited("quorum: 1", "mark: 7", all)), IsEmpty());
}

TEST(LoadServices, MarksAreNumbersOf32Bits) {
  const auto port = edited("path: /up", "port: 80");
  for (const std::string mark : {"0", "4294967296", "0x7", "-1"}) {
    EXPECT_THAT(errorsOf(edited("quorum: 1", "mark: " + mark, port)),
                ElementsAre("f:30:11: services.shop.mark: found '" + mark +
                            "', expected a whole number from 1 to 4294967295"));
  }
}

TEST(LoadServices, AWrongMarkIsStillAMark) {
  const auto text = edited("    ports: [80, 443]\n", "    mark: none\n");
  EXPECT_THAT(errorsOf(edited("path: /up", "port: 80", text)),
              ElementsAre(HasSubstr("services.shop.mark: found 'none'")));
}

}  // namespace
}  // namespace l4ward::config
