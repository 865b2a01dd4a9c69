// What the keys of checks and of their surroundings mean.
#include "site_text.h"

namespace l4ward::config {
namespace {

using namespace healthcheck;
using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

Site load(std::string_view text) {
  EXPECT_THAT(errorsOf(text), IsEmpty());
  return loadSite(text, "f", "host").value_or(Site());
}

// The check that these keys make.
Check check(const std::string& keys) {
  return load("checks: {c: {" + keys + "}}\nservices: {}\n").checks.at("c");
}

class EveryKey : public testing::Test {
 protected:
  const Site site = load(kChecksText);

  const Check& the(const std::string& name) const { return site.checks.at(name); }
  template <typename Probe>
  Probe probeOf(const std::string& name) const {
    return std::get<Probe>(the(name).how);
  }
};

TEST_F(EveryKey, Surroundings) {
  EXPECT_FALSE(site.suspectNode);
  EXPECT_EQ(site.dataPath.firstMark, 0x10000000U);
  EXPECT_EQ(site.dataPath.lastMark, 268500991U);
  EXPECT_THAT(site.dataPath.uplinks, ElementsAre("eth0", "bond0.7"));
  const auto& pool = site.pools.at("edge");
  EXPECT_THAT(pool.checks,
              ElementsAre("smtp", "page", "secure", "names", "ping", "script", "state", "load"));
  EXPECT_EQ(pool.warmUp, 30s);
  EXPECT_TRUE(pool.agentWeights);
}

TEST_F(EveryKey, Tcp) {
  const auto& smtp = the("smtp");
  EXPECT_EQ(smtp.name, "smtp");
  EXPECT_EQ(smtp.port, 25);
  EXPECT_EQ(probeOf<TcpProbe>("smtp"),
            (TcpProbe{"EHLO a\r\n\0\xff\\"s, Expectation{"^220 .*ready", true}}));
  EXPECT_EQ(smtp.tls, Tls());
  EXPECT_TRUE(smtp.viaTunnel);
  EXPECT_FALSE(smtp.fullSize);
  EXPECT_EQ(smtp.interval, 5s);
  EXPECT_EQ(smtp.fastInterval, 1s);
  EXPECT_EQ(smtp.downInterval, 24h);
  EXPECT_EQ(smtp.timeout, 3s);
  EXPECT_EQ(smtp.rise, 1U);
  EXPECT_EQ(smtp.fall, 100U);
  EXPECT_THAT(smtp.source, ElementsAre(ip("192.0.2.11"), ip("2001:db8::11")));
}

TEST_F(EveryKey, Http) {
  const auto page = probeOf<HttpProbe>("page");
  EXPECT_EQ(page.method, "POST");
  EXPECT_EQ(page.path, "/up?x");
  EXPECT_EQ(page.host, "www.example.org");
  EXPECT_THAT(page.headers, ElementsAre(Pair("User-Agent", "check"), Pair("X-Empty", ""),
                                        Pair("authorization", "Basic YTpi")));
  EXPECT_TRUE(page.http10);
  EXPECT_THAT(page.pass, ElementsAre(StatusRange{200, 299}, StatusRange{301, 301}));
  EXPECT_THAT(page.drain, ElementsAre(StatusRange{404, 404}));
  EXPECT_EQ(page.body, (Expectation{"all is well", false}));
  EXPECT_TRUE(the("page").viaTunnel);
  EXPECT_TRUE(the("page").fullSize);
  EXPECT_EQ(the("page").tls, std::nullopt);
}

TEST_F(EveryKey, Https) {
  const auto secure = probeOf<HttpProbe>("secure");
  EXPECT_FALSE(secure.http10);
  EXPECT_EQ(secure.body, (Expectation{"ready", false}));
  const auto tls = the("secure").tls.value();
  EXPECT_EQ(tls.serverName, "www.example.org");
  EXPECT_FALSE(tls.verify);
  EXPECT_EQ(tls.caFile, "/etc/ssl/ca.pem");
  EXPECT_EQ(tls.certificate, "/etc/ssl/me.pem");
  EXPECT_EQ(tls.key, "/etc/ssl/me.key");
  EXPECT_TRUE(tls.tls13);
  EXPECT_THAT(tls.alpn, ElementsAre("http/1.1", "acme"));
  EXPECT_EQ(tls.warnDays, 30U);
}

TEST_F(EveryKey, Dns) {
  EXPECT_EQ(probeOf<DnsProbe>("names"),
            (DnsProbe{"www.example.org", DnsType::aaaa, {"2001:db8::1"}, false}));
  EXPECT_EQ(the("names").port, 53);
  EXPECT_EQ(the("names").tls, std::nullopt);
  EXPECT_EQ(probeOf<DnsProbe>("mail"),
            (DnsProbe{"_x.example", DnsType::mx, {"10 mx1.example", "20 mx2.example"}, true}));
  EXPECT_EQ(the("mail").port, 5353);
  EXPECT_EQ(probeOf<DnsProbe>("private-names"), (DnsProbe{"", DnsType::ns, {}, true}));
  EXPECT_EQ(the("private-names").port, 853);
  EXPECT_EQ(the("private-names").tls, Tls());
}

TEST_F(EveryKey, Others) {
  EXPECT_EQ(probeOf<UdpProbe>("syslog"), (UdpProbe{"\x80!\t\r\n", Expectation{"ok", false}}));
  EXPECT_EQ(probeOf<IcmpProbe>("ping"), IcmpProbe());
  EXPECT_THAT(the("ping").source, ElementsAre(ip("192.0.2.11")));
  EXPECT_EQ(probeOf<GrpcProbe>("rpc"), (GrpcProbe{"shop.v1.Cart", "cart:443"}));
  EXPECT_THAT(the("rpc").tls.value().alpn, ElementsAre("h2"));
  EXPECT_EQ(probeOf<ExecProbe>("script"),
            (ExecProbe{{"/usr/lib/check", "-v", "", "a b"}, "_nobody"}));
  EXPECT_EQ(the("script").port, 80);
  EXPECT_EQ(probeOf<FileProbe>("state"), FileProbe{"/run/l4ward/state"});
  EXPECT_EQ(probeOf<AgentProbe>("load"), AgentProbe{"web\n"});
  EXPECT_EQ(the("load").port, 9777);
  EXPECT_EQ(the("load").tls, std::nullopt);
}

TEST(LoadChecks, DefaultsOfEachType) {
  EXPECT_EQ(check("type: http").how, How(HttpProbe()));
  EXPECT_EQ(check("type: http").tls, std::nullopt);
  EXPECT_EQ(check("type: https").how, How(HttpProbe()));
  EXPECT_EQ(check("type: https").tls, Tls());
  EXPECT_EQ(check("type: https").port, std::nullopt);
  EXPECT_EQ(check("type: dns, name: a").how, How(DnsProbe{"a", DnsType::a, {}, false}));
  EXPECT_EQ(check("type: udp, send: x").how, How(UdpProbe{"x", std::nullopt}));
  EXPECT_EQ(check("type: icmp").how, How(IcmpProbe()));
  EXPECT_EQ(check("type: icmp").port, std::nullopt);
  EXPECT_EQ(check("type: grpc").how, How(GrpcProbe()));
  EXPECT_EQ(check("type: grpc").tls, std::nullopt);
  EXPECT_EQ(check("type: exec, command: [/a]").how, How(ExecProbe{{"/a"}, ""}));
  EXPECT_EQ(check("type: file, path: /a").how, How(FileProbe{"/a"}));
  EXPECT_EQ(check("type: agent, port: 1").how, How(AgentProbe()));
}

TEST(LoadChecks, TheLimitsAreAllowed) {
  const std::string longest(1024, 'x');
  EXPECT_EQ(check("type: tcp, send: " + longest).how, How(TcpProbe{longest, std::nullopt}));
  EXPECT_EQ(check("type: udp, send: x, expect: " + longest).how,
            How(UdpProbe{"x", Expectation{longest, false}}));
  EXPECT_EQ(check("type: tcp, expect: {pattern: " + longest + "}").how,
            How(TcpProbe{"", Expectation{longest, true}}));
  std::string escaped;
  for (int i = 0; i < 1024; ++i) escaped += "\\x41";
  EXPECT_EQ(check("type: tcp, send: " + escaped).how,
            How(TcpProbe{std::string(1024, 'A'), std::nullopt}));
  EXPECT_EQ(check("type: https, tls: {expiry_warning: 0s}").tls.value().warnDays, 0U);
  EXPECT_EQ(check("type: https, tls: {expiry_warning: 8760h}").tls.value().warnDays, 365U);
}

TEST(LoadChecks, DownIntervalsOnEitherSide) {
  EXPECT_EQ(check("type: tcp, interval: 7s").downInterval, 7s);
  EXPECT_EQ(check("type: tcp, down_interval: 500ms").downInterval, 500ms);
  EXPECT_EQ(check("type: tcp, down_interval: 1m").downInterval, 1min);
}

TEST(LoadChecks, EveryDnsTypeInAnyCase) {
  const std::vector<std::pair<std::string, DnsType>> types{
      {"a", DnsType::a},         {"Aaaa", DnsType::aaaa}, {"ns", DnsType::ns},
      {"CNAME", DnsType::cname}, {"soa", DnsType::soa},   {"ptr", DnsType::ptr},
      {"Mx", DnsType::mx},       {"TXT", DnsType::txt},   {"srv", DnsType::srv}};
  for (const auto& [name, type] : types) {
    EXPECT_EQ(std::get<DnsProbe>(check("type: dns, name: a, query: " + name).how).type, type);
  }
}

// RE2 knows Latin-1 here: answers need not be UTF-8, and patterns neither.
TEST(LoadChecks, PatternsOfBytes) {
  EXPECT_EQ(check(R"(type: tcp, expect: {pattern: '^\xff\x00.é'})").how,
            How(TcpProbe{"", Expectation{R"(^\xff\x00.é)", true}}));
}

TEST(LoadChecks, ViaAndFullSizeMayBeSaidToBeOff) {
  EXPECT_FALSE(check("type: http, via: direct, full_size: false").viaTunnel);
}

TEST(LoadPools, OneCheckAsAListAndWarmUp) {
  const auto pool = load(edited("check: web", "check: [web]\n    warm_up: 1h")).pools.at("edge");
  EXPECT_THAT(pool.checks, ElementsAre("web"));
  EXPECT_EQ(pool.warmUp, 1h);
}

}  // namespace
}  // namespace l4ward::config
