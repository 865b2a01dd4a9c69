// One mistake in one section each: bgp, pools, services.
#include "site_text.h"

namespace l4ward::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kName = "expected 1 to 64 letters, digits, '.', '_' or '-'";

class Bgp : public testing::TestWithParam<Mistake> {};
class Pools : public testing::TestWithParam<Mistake> {};
class Services : public testing::TestWithParam<Mistake> {};

TEST_P(Bgp, IsOneError) {
  expectError(GetParam());
}
TEST_P(Pools, IsOneError) {
  expectError(GetParam());
}
TEST_P(Services, IsOneError) {
  expectError(GetParam());
}

const std::string kAs = "4:13: bgp.local_as: found ";
const std::string kAsRange = ", expected a whole number from 1 to 4294967295";
const std::string kNeighbor = "{ address: 192.0.2.1, peer_as: 65000 }";

INSTANTIATE_TEST_SUITE_P(
    LoadErrors, Bgp,
    testing::Values(
        Mistake{"65001", "0", kAs + "'0'" + kAsRange},
        Mistake{"65001", "4294967296", kAs + "'4294967296'" + kAsRange},
        Mistake{"65001", "1.5", kAs + "'1.5'" + kAsRange},
        Mistake{"65001", "", "4:3: bgp.local_as: found nothing" + kAsRange},
        Mistake{"  local_as: 65001\n", "",
                "4:3: bgp.local_as: found no such key, expected the number of an autonomous "
                "system, 1 to 4294967295"},
        Mistake{"192.0.2.11", "\"2001:db8::1\"",
                "5:14: bgp.router_id: found '2001:db8::1', expected an IPv4 address of this node"},
        Mistake{"192.0.2.11", "0.0.0.0",
                "5:14: bgp.router_id: found '0.0.0.0', expected an IPv4 address of this node"},
        Mistake{"  router_id: 192.0.2.11\n", "",
                "4:3: bgp.router_id: found no such key, expected an IPv4 address of this node"},
        Mistake{"\n    - " + kNeighbor, " []",
                "6:14: bgp.neighbors: found an empty list, expected 1 to 64 items"},
        Mistake{kNeighbor, kNeighbor + "\n    - " + kNeighbor,
                "8:7: bgp.neighbors[1]: found neighbor 192.0.2.1 a second time, expected it once "
                "(line 7 has it too)"},
        Mistake{kNeighbor, "{ address: \"2001:db8::1\", peer_as: 1 }",
                "7:7: bgp.neighbors[0].local_address: found no such key, expected this node's "
                "IPv6 address towards 2001:db8::1 (only IPv4 neighbors have a default, "
                "router_id)"},
        Mistake{"peer_as: 65000", "peer_as: 1, local_address: \"2001:db8::11\"",
                "7:56: bgp.neighbors[0].local_address: found '2001:db8::11', expected an IPv4 "
                "address, as the neighbor's"},
        Mistake{"peer_as: 65000", "peer_as: 1, local_address: 192.0.2.1",
                "7:56: bgp.neighbors[0].local_address: found '192.0.2.1', expected an address of "
                "this node, not the neighbor's"},
        Mistake{"peer_as: 65000", "peer_as: 1, hold_time: 2s",
                "7:52: bgp.neighbors[0].hold_time: found '2s', expected a duration such as 500ms, "
                "2s or 5m, from 3s to 65535s"},
        Mistake{"peer_as: 65000", "peer_as: 1, hold_time: 3500ms",
                "7:52: bgp.neighbors[0].hold_time: found '3500ms', expected whole seconds"},
        Mistake{"peer_as: 65000", "peer_as: 1, password_file: r1.key",
                "7:56: bgp.neighbors[0].password_file: found 'r1.key', expected an absolute path "
                "without blanks or quotes"},
        Mistake{"address: 192.0.2.1,", "address: 224.0.0.1,",
                "7:18: bgp.neighbors[0].address: found '224.0.0.1', expected an address of one "
                "host that needs no zone"},
        Mistake{"address: 192.0.2.1,", "address: \"fe80::1\",",
                "7:18: bgp.neighbors[0].address: found 'fe80::1', expected an address of one host "
                "that needs no zone"},
        Mistake{"65001:80", "65536:80",
                "8:17: bgp.communities[0]: found '65536:80', expected a community such as "
                "65001:80, each half 0 to 65535, or a name such as no-export"},
        Mistake{"[\"65001:80\"]", "[1:2, 1:2]",
                "8:22: bgp.communities[1]: found '1:2' a second time, expected each community "
                "once"},
        Mistake{"communities: [\"65001:80\"]", "med: -1",
                "8:8: bgp.med: found '-1', expected a whole number from 0 to 4294967295"},
        Mistake{"communities: [\"65001:80\"]", "hold: 2d",
                "8:9: bgp.hold: found '2d', expected a duration such as 500ms, 2s or 5m, from 0s "
                "to 24h"},
        Mistake{"communities: [\"65001:80\"]", "exabgp: manged",
                "8:11: bgp.exabgp: found 'manged', expected managed or external (did you mean "
                "'managed'?)"}));

const std::string kB = "{ name: b, address: 192.0.2.102, weight: 2 }";
const std::string kWeight = "24:50: pools.edge.servers[1].weight: found ";
const std::string kWeightRange = ", expected a whole number from 1 to 65535";
const std::string kChecks = "expected the name of a check, none, or a list of checks";
const std::string kUpper = "24:62: pools.edge.servers[1].thresholds.upper: found ";
const std::string kUpperRange = ", expected a whole number from 1 to 2147483647";

INSTANTIATE_TEST_SUITE_P(
    LoadErrors, Pools,
    testing::Values(
        Mistake{"weight: 2", "weight: 0", kWeight + "'0'" + kWeightRange},
        Mistake{"weight: 2", "weight: 65536", kWeight + "'65536'" + kWeightRange},
        Mistake{"weight: 2", "weight: -1", kWeight + "'-1'" + kWeightRange},
        Mistake{"weight: 2", "weight: 2.0", kWeight + "'2.0'" + kWeightRange},
        Mistake{"weight: 2", "weight: 010", kWeight + "'010'" + kWeightRange},
        Mistake{"weight: 2", "weight: 1e3", kWeight + "'1e3'" + kWeightRange},
        Mistake{"weight: 2", "weight: yes", kWeight + "'yes'" + kWeightRange},
        Mistake{"name: b", "name: a",
                "24:9: pools.edge.servers[1]: found server 'a' a second time, expected each name "
                "once a pool (line 23 has it too)"},
        Mistake{"name: b", "name: \"b c\"",
                "24:17: pools.edge.servers[1].name: found 'b c', " + kName},
        Mistake{"name: b, ", "",
                "24:9: pools.edge.servers[1].name: found no such key, expected the server's name"},
        Mistake{"192.0.2.102", "192.0.2.101",
                "24:9: pools.edge.servers[1]: found address 192.0.2.101, which server 'a' has too "
                "(line 23), expected each address once a pool"},
        Mistake{"192.0.2.102", "[192.0.2.102, 192.0.2.103]",
                "24:43: pools.edge.servers[1].address[1]: found a second IPv4 address, expected "
                "one a family"},
        Mistake{"192.0.2.102", "[]",
                "24:29: pools.edge.servers[1].address: found an empty list, expected 1 to 2 items"},
        Mistake{"192.0.2.102", "192.0.2.256",
                "24:29: pools.edge.servers[1].address: found '192.0.2.256', expected an IPv4 or "
                "IPv6 address"},
        Mistake{"192.0.2.102", "\"::ffff:192.0.2.102\"",
                "24:29: pools.edge.servers[1].address: found '::ffff:192.0.2.102', expected the "
                "IPv4 address itself, as 192.0.2.1"},
        Mistake{"192.0.2.102", "255.255.255.255",
                "24:29: pools.edge.servers[1].address: found '255.255.255.255', expected the "
                "address of one host that routers reach"},
        Mistake{kB, "b",
                "24:9: pools.edge.servers[1]: found 'b', expected an address, or a map "
                "with name and address"},
        Mistake{kB, "", "25:1: pools.edge.servers[1]: found nothing, expected a map"},
        Mistake{"check: web", "", "20:5: pools.edge.check: found no such key, " + kChecks},
        Mistake{"check: web", "check:", "21:5: pools.edge.check: found nothing, " + kChecks},
        Mistake{"check: web", "check: {web: port}",
                "21:12: pools.edge.check: found a map, " + kChecks},
        Mistake{"check: web", "check: a b", "21:12: pools.edge.check: found 'a b', " + kChecks},
        Mistake{"check: web", "check: []",
                "21:12: pools.edge.check: found an empty list, expected 1 to 8 items"},
        Mistake{"check: web", "check: [web, port, c, d, e, f, g, h, i]",
                "21:12: pools.edge.check: found a list of 9, expected 1 to 8 items"},
        Mistake{"check: web", "check: [web, none]",
                "21:18: pools.edge.check[1]: found 'none', expected the name of a check; `none` "
                "stands by itself"},
        Mistake{"check: web", "check: [none]",
                "21:13: pools.edge.check[0]: found 'none', expected the name of a check; `none` "
                "stands by itself"},
        Mistake{"check: web", "check: [web, port, web]",
                "21:24: pools.edge.check[2]: found 'web' a second time, expected each check once "
                "a pool"},
        Mistake{"check: web", "check: [web, [port]]",
                "21:18: pools.edge.check[1]: found a list, expected the name of a check"},
        Mistake{"check: web", "check: web\n    warm_up: 61m",
                "22:14: pools.edge.warm_up: found '61m', expected a duration such as 500ms, 2s or "
                "5m, from 0s to 1h"},
        Mistake{"check: web", "check: web\n    agent_weight: 1",
                "22:19: pools.edge.agent_weight: found '1', expected true or false"},
        Mistake{"forward: direct", "forward: nat",
                "20:14: pools.edge.forward: found 'nat', expected tunnel, direct or masquerade"},
        Mistake{"forward: direct", "forward: direct\n    tunnel: {type: ipip}",
                "21:13: pools.edge.tunnel: found a tunnel in a pool that does not forward through "
                "one, expected it only with `forward: tunnel`"},
        Mistake{"forward: direct", "forward: direct\n    server_port: 8080",
                "21:18: pools.edge.server_port: found this key in a pool that does not rewrite "
                "packets, expected it only with `forward: masquerade`"},
        Mistake{"forward: direct", "forward: masquerade\n    server_port: 0",
                "21:18: pools.edge.server_port: found '0', expected a whole number from 1 to "
                "65535"},
        Mistake{"forward: direct", "tunnel: {type: vxlan}",
                "20:20: pools.edge.tunnel.type: found 'vxlan', expected ipip, gue or gre"},
        Mistake{"forward: direct", "tunnel: {type: gue}",
                "20:13: pools.edge.tunnel.port: found no such key, expected the UDP port that the "
                "servers receive GUE at"},
        Mistake{"forward: direct", "tunnel: {type: gre, port: 1}",
                "20:31: pools.edge.tunnel.port: found a port for a tunnel without one, expected it "
                "only with type gue"},
        Mistake{"forward: direct", "tunnel: {type: ipip, checksum: true}",
                "20:36: pools.edge.tunnel.checksum: found a checksum for a tunnel without one, "
                "expected it only with type gue or gre"},
        Mistake{"forward: direct", "tunnel: {type: gre, checksum: yes}",
                "20:35: pools.edge.tunnel.checksum: found 'yes', expected true or false"},
        Mistake{"forward: direct", "tunnel: {type: gre, remote_checksum: true}",
                "20:42: pools.edge.tunnel.remote_checksum: found a remote checksum for a tunnel "
                "without one, expected it only with type gue"},
        Mistake{"forward: direct", "tunnel: {type: gue, port: 1, remote_checksum: 1}",
                "20:51: pools.edge.tunnel.remote_checksum: found '1', expected true or false"},
        Mistake{"weight: 2", "thresholds: 5",
                "24:54: pools.edge.servers[1].thresholds: found '5', expected a map"},
        Mistake{"weight: 2", "thresholds: {lower: 5}",
                "24:54: pools.edge.servers[1].thresholds.upper: found no such key, expected the "
                "connections at which new ones stop"},
        Mistake{"weight: 2", "thresholds: {upper: 0}", kUpper + "'0'" + kUpperRange},
        Mistake{"weight: 2", "thresholds: {upper: 2147483648, lower: 5}",
                kUpper + "'2147483648'" + kUpperRange},
        Mistake{"weight: 2", "thresholds: {upper: 5, lower: 6}",
                "24:72: pools.edge.servers[1].thresholds.lower: found '6', expected at most the "
                "upper threshold, which is 5"},
        Mistake{"weight: 2", "thresholds: {upper: 5, lower: -1}",
                "24:72: pools.edge.servers[1].thresholds.lower: found '-1', expected a whole "
                "number from 0 to 2147483647"},
        Mistake{"forward: direct", "thresholds: {upper: 5, lower: 6}",
                "20:35: pools.edge.thresholds.lower: found '6', expected at most the upper "
                "threshold, which is 5"},
        Mistake{"forward: direct", "algorithm: mh",
                "20:5: pools.edge.algorithm: found the key 'algorithm', expected a key that is "
                "known here: forward tunnel server_port check warm_up agent_weight thresholds "
                "servers servers_from servers_from_min"}));

const std::string kVip = "27:12: services.shop.vips[0]: found ";
const std::string kVipExpected = ", expected an address of one host that can be announced";
const std::string kAddressOrPrefix =
    ", expected an IPv4 or IPv6 address, or a prefix as 192.0.2.0/28";
const std::string kQuorum = "30:13: services.shop.quorum: found ";
const std::string kQuorumRange =
    ", expected a number of servers from 1 to 4093, a share of the pool's weight from \"1%\" to "
    "\"100%\", or a map";

INSTANTIATE_TEST_SUITE_P(
    LoadErrors, Services,
    testing::Values(
        Mistake{"198.51.100.1", "0.0.0.0",
                kVip + "'0.0.0.0', the unspecified address" + kVipExpected},
        Mistake{"198.51.100.1", "'::'", kVip + "'::', the unspecified address" + kVipExpected},
        Mistake{"198.51.100.1", "224.0.0.5",
                kVip + "'224.0.0.5', an address of many hosts" + kVipExpected},
        Mistake{"198.51.100.1", "'ff02::1'",
                kVip + "'ff02::1', an address of many hosts" + kVipExpected},
        Mistake{"198.51.100.1", "127.0.0.1",
                kVip + "'127.0.0.1', a loopback address" + kVipExpected},
        Mistake{"198.51.100.1", "'::1'", kVip + "'::1', a loopback address" + kVipExpected},
        Mistake{"198.51.100.1", "169.254.1.1",
                kVip + "'169.254.1.1', a link-local address" + kVipExpected},
        Mistake{"198.51.100.1", "'fe80::1'",
                kVip + "'fe80::1', a link-local address" + kVipExpected},
        Mistake{"198.51.100.1", "198.51.100", kVip + "'198.51.100'" + kAddressOrPrefix},
        Mistake{"198.51.100.1", "{}", kVip + "a map" + kAddressOrPrefix},
        Mistake{"198.51.100.1", "",
                "27:11: services.shop.vips: found an empty list, expected 1 to "
                "256 items"},
        Mistake{"[198.51.100.1]", "198.51.100.1",
                "27:11: services.shop.vips: found '198.51.100.1', expected a list"},
        Mistake{"198.51.100.1", "198.51.100.1, 198.51.100.1",
                "27:26: services.shop.vips[1]: found '198.51.100.1' a second time, expected each "
                "address once a service"},
        Mistake{"[80, 443]", "[]",
                "28:12: services.shop.ports: found an empty list, expected 1 to 64 items"},
        Mistake{"    ports: [80, 443]\n", "",
                "27:5: services.shop.ports: found no such key, expected a list of ports, or all"},
        Mistake{"[80, 443]", "80",
                "28:12: services.shop.ports: found '80', expected a list of ports, or all"},
        Mistake{"[80, 443]", "[80, 65536]",
                "28:17: services.shop.ports[1]: found '65536', expected a whole number from 1 to "
                "65535"},
        Mistake{"[80, 443]", "[80, 080]",
                "28:17: services.shop.ports[1]: found '080', expected a whole number from 1 to "
                "65535"},
        Mistake{"[80, 443]", "[80, 80]",
                "28:17: services.shop.ports[1]: found '80' a second time, expected each port once "
                "a service"},
        Mistake{"[80, 443]", "[80, [443]]",
                "28:17: services.shop.ports[1]: found a list, expected a whole number from 1 to "
                "65535"},
        Mistake{"    pool: edge\n", "",
                "27:5: services.shop.pool: found no such key, expected the name of a pool"},
        Mistake{"pool: edge", "pool: {name: edge}",
                "29:11: services.shop.pool: found a map, " + kName},
        Mistake{"quorum: 1", "quorum: 0", kQuorum + "'0'" + kQuorumRange},
        Mistake{"quorum: 1", "quorum: \"0%\"", kQuorum + "'0%'" + kQuorumRange},
        Mistake{"quorum: 1", "quorum: \"101%\"", kQuorum + "'101%'" + kQuorumRange},
        Mistake{"quorum: 1", "quorum: half", kQuorum + "'half'" + kQuorumRange},
        Mistake{"quorum: 1", "quorum: '%'", kQuorum + "'%'" + kQuorumRange},
        Mistake{"quorum: 1", "quorum: []", kQuorum + "a list" + kQuorumRange},
        Mistake{"quorum: 1", "protocol: icmp",
                "30:15: services.shop.protocol: found 'icmp', expected tcp, udp or sctp"},
        Mistake{"quorum: 1", "scheduler: wrrr",
                "30:16: services.shop.scheduler: found 'wrrr', expected rr, wrr, lc, wlc, lblc, "
                "lblcr, dh, sh, sed, nq, fo, ovf, mh or twos (did you mean 'wrr'?)"},
        Mistake{"quorum: 1", "scheduler: wrr\n    scheduler_flags: [mh-port]",
                "31:23: services.shop.scheduler_flags[0]: found 'mh-port', expected flag-1, flag-2 "
                "or flag-3"},
        Mistake{"quorum: 1", "scheduler: sh\n    scheduler_flags: [mh-port]",
                "31:23: services.shop.scheduler_flags[0]: found 'mh-port', expected sh-fallback or "
                "sh-port (did you mean 'sh-port'?)"},
        Mistake{"quorum: 1", "scheduler: shh\n    scheduler_flags: [sh-port]",
                "30:16: services.shop.scheduler: found 'shh', expected rr, wrr, lc, wlc, lblc, "
                "lblcr, dh, sh, sed, nq, fo, ovf, mh or twos (did you mean 'sh'?)"},
        Mistake{"quorum: 1", "scheduler_flags: [sh-port]",
                "30:23: services.shop.scheduler_flags[0]: found 'sh-port', expected mh-fallback or "
                "mh-port (did you mean 'mh-port'?)"},
        Mistake{"quorum: 1", "scheduler_flags: [mh-port, mh-port]",
                "30:32: services.shop.scheduler_flags[1]: found 'mh-port' a second time, expected "
                "each flag once"}));

TEST(LoadErrors, MoreServersThanMaglevHasSlots) {
  std::string servers;
  for (int i = 0; i < 4094; ++i) {
    servers += "      - { name: s" + std::to_string(i) + ", address: 10.0." +
               std::to_string(i / 250) + "." + std::to_string(i % 250 + 1) + " }\n";
  }
  const auto text = edited("      - { name: a, address: 192.0.2.101 }\n", servers);
  EXPECT_THAT(errorsOf(text),
              ElementsAre(HasSubstr("found a list of 4095, expected 1 to 4093 items")));
}

TEST(LoadErrors, MoreServicesThanAllowed) {
  std::string text = "services:\n";
  for (int i = 0; i < 1025; ++i) text += "  s" + std::to_string(i) + ": {}\n";
  EXPECT_THAT(errorsOf(text), ElementsAre(HasSubstr("expected at most 1024 entries")));
}

}  // namespace
}  // namespace l4ward::config
