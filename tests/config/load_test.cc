#include "config/load.h"

#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "site_text.h"

namespace l4ward::config {
namespace {

using namespace std::chrono_literals;
using healthcheck::HttpProbe;
using healthcheck::StatusRange;
using healthcheck::TcpProbe;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

Site load(std::string_view text) {
  EXPECT_THAT(errorsOf(text), IsEmpty());
  return loadSite(text, "f", "host").value_or(Site());
}

std::string example(const std::string& name) {
  return std::string(L4WARD_SOURCE_DIR) + "/examples/" + name;
}

TEST(Load, EveryExample) {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(L4WARD_SOURCE_DIR) + "/examples")) {
    if (entry.path().extension() != ".yaml") continue;
    const auto site = loadSiteFile(entry.path());
    EXPECT_TRUE(site) << (site ? "" : site.error().front().str());
    ++count;
  }
  EXPECT_GE(count, 3);
}

// Whoever copies the README's first site file gets one that works.
TEST(Load, TheReadmesFirstSite) {
  const auto readme = *readFile(std::string(L4WARD_SOURCE_DIR) + "/README.md", 100000);
  const std::string fence = "```yaml\n";
  const auto begin = readme.find(fence);
  ASSERT_NE(begin, std::string::npos);
  const auto start = begin + fence.size();
  const Site site = load(readme.substr(start, readme.find("```", start) - start));
  EXPECT_EQ(site.services.at("web").ports, (std::vector<std::uint16_t>{80, 443}));
}

TEST(Load, FillsInEveryDefault) {
  const Site site = loadSite(*readFile(example("one-vip.yaml"), 10000), "f", "host-1").value();
  EXPECT_EQ(site.node, "host-1");
  EXPECT_EQ(site.interface, "lo");
  EXPECT_EQ(site.bgp, std::nullopt);
  EXPECT_EQ(site.drainLimit, 5min);
  EXPECT_EQ(site.announceDeadline, 30s);
  EXPECT_EQ(site.shutdown.drain, 5s);
  EXPECT_TRUE(site.suspectNode);
  EXPECT_EQ(site.dataPath, (DataPath{2130706432U, 2130771967U, {}}));
  EXPECT_THAT(site.sysctls, UnorderedElementsAre(Pair("net.ipv4.vs.sloppy_tcp", "1"),
                                                 Pair("net.ipv4.vs.schedule_icmp", "1"),
                                                 Pair("net.ipv4.vs.expire_nodest_conn", "0"),
                                                 Pair("net.ipv4.vs.conntrack", "0")));

  const Check& check = site.checks.at("tcp");
  EXPECT_EQ(check.name, "tcp");
  EXPECT_EQ(check.how, healthcheck::How(TcpProbe()));
  EXPECT_EQ(check.port, std::nullopt);
  EXPECT_EQ(check.tls, std::nullopt);
  EXPECT_FALSE(check.viaTunnel);
  EXPECT_EQ(check.interval, 2s);
  EXPECT_EQ(check.fastInterval, 500ms);
  EXPECT_EQ(check.downInterval, 2s);
  EXPECT_EQ(check.timeout, 1s);
  EXPECT_EQ(check.rise, 2U);
  EXPECT_EQ(check.fall, 3U);

  EXPECT_EQ(site.pools.at("web").warmUp, 0s);
  EXPECT_FALSE(site.pools.at("web").agentWeights);
  const Service& service = site.services.at("web");
  EXPECT_EQ(service.protocol, Protocol::tcp);
  EXPECT_EQ(service.scheduler, "mh");
  EXPECT_THAT(service.schedulerFlags, ElementsAre("mh-fallback", "mh-port"));
  EXPECT_EQ(service.quorum, Quorum());
  EXPECT_EQ(site.pools.at("web").servers.at(0), (Server{"web-1", {ip("192.0.2.101")}, 1}));
}

TEST(Load, TheThreeTierSite) {
  const Site site = loadSiteFile(example("three-tier.yaml")).value();
  EXPECT_EQ(site.node, "lb4-1");
  const Bgp& bgp = site.bgp.value();
  EXPECT_EQ(bgp.localAs, 65001U);
  EXPECT_EQ(bgp.hold, 30s);
  EXPECT_EQ(bgp.exabgp, ExabgpMode::managed);
  EXPECT_THAT(bgp.routes.communities, ElementsAre("65001:80"));
  ASSERT_EQ(bgp.neighbors.size(), 4U);
  EXPECT_EQ(bgp.neighbors[0].address, ip("192.0.2.251"));
  EXPECT_EQ(bgp.neighbors[0].peerAs, 65001U);
  EXPECT_EQ(bgp.neighbors[0].localAddress, ip("192.0.2.11"));
  EXPECT_EQ(bgp.neighbors[0].holdTime, 9s);
  EXPECT_EQ(bgp.neighbors[0].passwordFile, "");
  EXPECT_EQ(bgp.neighbors[3].address, ip("2001:db8::fc"));
  EXPECT_EQ(bgp.neighbors[3].localAddress, ip("2001:db8::11"));
  EXPECT_EQ(bgp.neighbors[3].passwordFile, "/etc/l4ward/reflector-2.key");
  const Check& check = site.checks.at("healthz");
  const auto& http = std::get<HttpProbe>(check.how);
  EXPECT_EQ(check.port, 80);
  EXPECT_EQ(http.path, "/healthcheck");
  EXPECT_THAT(http.drain, ElementsAre(StatusRange{404, 404}));
  const Pool& pool = site.pools.at("edge");
  EXPECT_EQ(pool.forward, Forward::tunnel);
  EXPECT_THAT(pool.checks, ElementsAre("healthz"));
  EXPECT_EQ(pool.servers.at(2), (Server{"lb7-3", {ip("192.0.2.103"), ip("2001:db8::67")}, 2}));
  EXPECT_THAT(site.services.at("web").ports, ElementsAre(80, 443));
}

TEST(Load, KeysThatFewSitesNeed) {
  const Site site = load(R"(
bgp:
  local_as: 65010
  router_id: 192.0.2.11
  neighbors: [{ address: 192.0.2.1, peer_as: 65010, hold_time: 6s }]
  med: 100
  hold: 0s
checks:
  home:
    type: http
    status: [200-299, 301, 302]
    interval: 5s
    fast_interval: 1s
    source: 192.0.2.11
pools:
  web: { forward: direct, check: home, servers: [192.0.2.101] }
services:
  web:
    vips: [198.51.100.80]
    ports: [80]
    pool: web
    scheduler: wlc
    quorum: "50%"
  dns-udp: { vips: [198.51.100.53], ports: [53], protocol: udp, pool: web }
  dns-tcp:
    vips: [198.51.100.53]
    ports: [53]
    protocol: tcp
    pool: web
    scheduler_flags: [mh-fallback]
sysctls:
  net.ipv4.vs.expire_nodest_conn: 1
  net.ipv4.vs.conntrack: keep
drain_limit: 2m
shutdown: { drain: 10s }
)");
  EXPECT_EQ(site.bgp->hold, 0s);
  EXPECT_EQ(site.bgp->routes.med, 100U);
  EXPECT_EQ(site.bgp->neighbors.at(0).holdTime, 6s);
  const Check& check = site.checks.at("home");
  EXPECT_THAT(std::get<HttpProbe>(check.how).pass,
              ElementsAre(StatusRange{200, 299}, StatusRange{301, 301}, StatusRange{302, 302}));
  EXPECT_EQ(check.fastInterval, 1s);
  EXPECT_THAT(check.source, ElementsAre(ip("192.0.2.11")));
  EXPECT_THAT(site.services.at("web").schedulerFlags, IsEmpty());
  EXPECT_EQ(site.services.at("web").quorum, (Quorum{50, Quorum::Unit::percent}));
  EXPECT_THAT(site.services.at("dns-tcp").schedulerFlags, ElementsAre("mh-fallback"));
  EXPECT_EQ(site.services.at("dns-udp").protocol, Protocol::udp);
  EXPECT_THAT(site.sysctls, UnorderedElementsAre(Pair("net.ipv4.vs.sloppy_tcp", "1"),
                                                 Pair("net.ipv4.vs.schedule_icmp", "1"),
                                                 Pair("net.ipv4.vs.expire_nodest_conn", "1")));
  EXPECT_EQ(site.drainLimit, 2min);
  EXPECT_EQ(site.shutdown.drain, 10s);
}

TEST(Load, Tunnels) {
  const auto tunnelOf = [](std::string_view tunnel) {
    return load(edited("forward: direct", "tunnel: " + std::string(tunnel)))
        .pools.at("edge")
        .tunnel;
  };
  EXPECT_EQ(tunnelOf("{type: ipip}"), (Tunnel{TunnelType::ipip, 0, false}));
  EXPECT_EQ(tunnelOf("{type: gue, port: 6080, checksum: true}"),
            (Tunnel{TunnelType::gue, 6080, true, false}));
  EXPECT_EQ(tunnelOf("{type: gue, port: 6080, remote_checksum: true}"),
            (Tunnel{TunnelType::gue, 6080, false, true}));
  EXPECT_EQ(tunnelOf("{type: gre, checksum: true}"), (Tunnel{TunnelType::gre, 0, true}));
}

TEST(Load, TunnelsCarryTheOtherFamily) {
  const auto site = load(
      edited("forward: direct", "forward: tunnel", edited("[198.51.100.1]", "[\"2001:db8::1\"]")));
  EXPECT_EQ(site.services.at("shop").vips.at(0), Prefix::host(ip("2001:db8::1")));
}

TEST(Load, NoCheck) {
  EXPECT_THAT(load(edited("check: web", "check: none")).pools.at("edge").checks, IsEmpty());
}

TEST(Load, ShortIntervalsShortenWhatDefaultsToMore) {
  const auto check = load(edited("interval: 2s", "interval: 300ms")).checks.at("web");
  EXPECT_EQ(check.fastInterval, 300ms);
  EXPECT_EQ(check.timeout, 300ms);
  EXPECT_EQ(check.downInterval, 300ms);
}

TEST(Load, QuotesMakeNoDifferenceToNumbers) {
  EXPECT_EQ(load(edited("weight: 2", "weight: \"2\"")).pools.at("edge").servers[1].weight, 2U);
  EXPECT_THAT(load(edited("[80, 443]", "['80', 443]")).services.at("shop").ports,
              ElementsAre(80, 443));
}

TEST(Load, QuorumOfWeightWithOrWithoutQuotes) {
  EXPECT_EQ(load(edited("quorum: 1", "quorum: 100%")).services.at("shop").quorum,
            (Quorum{100, Quorum::Unit::percent}));
  EXPECT_EQ(load(edited("quorum: 1", "quorum: '1%'")).services.at("shop").quorum,
            (Quorum{1, Quorum::Unit::percent}));
}

TEST(Load, AliasesAndComments) {
  const auto site = load(edited("services:",
                                "# more\nservices:\n  more:\n    vips: [198.51.100.2]\n"
                                "    ports: &ports [80, 443]\n    pool: edge",
                                edited("[80, 443]", "*ports")));
  EXPECT_THAT(site.services.at("shop").ports, ElementsAre(80, 443));
}

TEST(Load, NamesWithDots) {
  const auto site = load(edited("check: web", "check: a.b", edited("  web:", "  a.b:")));
  EXPECT_THAT(site.pools.at("edge").checks, ElementsAre("a.b"));
}

TEST(Load, NullDropsADefaultSysctl) {
  const auto site = load(std::string(kSiteText) +
                         "sysctls: {net.ipv4.vs.sloppy_tcp: null, "
                         "net.ipv4.conf.all.rp_filter: 0}\n");
  EXPECT_FALSE(site.sysctls.contains("net.ipv4.vs.sloppy_tcp"));
  EXPECT_EQ(site.sysctls.at("net.ipv4.conf.all.rp_filter"), "0");
}

TEST(Load, LineEndsOfOtherSystems) {
  std::string text;
  for (const char c : kSiteText) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(load(text), load(kSiteText));
  EXPECT_EQ(load("\xef\xbb\xbf" + std::string(kSiteText)), load(kSiteText));
}

TEST(LoadFile, SaysWhatItCannotRead) {
  const auto missing = loadSiteFile("/nonexistent/site.yaml");
  ASSERT_FALSE(missing);
  ASSERT_EQ(missing.error().size(), 1U);
  EXPECT_EQ(missing.error()[0].line, 0);
  EXPECT_THAT(missing.error()[0].str(), HasSubstr("No such file or directory"));
  EXPECT_THAT(missing.error()[0].str(), testing::StartsWith("/nonexistent/site.yaml: found "));
  EXPECT_FALSE(loadSiteFile("/tmp"));
}

TEST(LoadFile, BoundsTheSize) {
  const std::string path = testing::TempDir() + "/l4ward-large-" + std::to_string(::getpid());
  ASSERT_TRUE(replaceFile(path, std::string((4U << 20) + 1, '#')));
  const auto site = loadSiteFile(path);
  ::unlink(path.c_str());
  ASSERT_FALSE(site);
  EXPECT_THAT(site.error()[0].str(), HasSubstr("4 MiB"));
  EXPECT_THAT(errorsOf(std::string((4U << 20) + 1, '#')),
              ElementsAre("f: found more than 4 MiB, expected a file of at most 4 MiB"));
}

TEST(Load, AServerMayBeItsAddress) {
  const auto site = loadSite(
      "pools: { p: { check: none, thresholds: { upper: 9 }, servers: [192.0.2.1, "
      "{ name: b, address: 192.0.2.2 }, \"2001:db8::3\"] } }\nservices: {}\n",
      "site.yaml", "node-1");
  ASSERT_TRUE(site) << site.error()[0].str();
  const auto& servers = site->pools.at("p").servers;
  ASSERT_EQ(servers.size(), 3U);
  EXPECT_EQ(servers[0], (Server{"192.0.2.1", {*IpAddress::parse("192.0.2.1")}, 1, {9, 0}}));
  EXPECT_EQ(servers[2].name, "2001:db8::3");
}

}  // namespace
}  // namespace l4ward::config
