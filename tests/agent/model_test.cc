#include "agent/model.h"

#include <gtest/gtest.h>

#include "tests/agent/fixture.h"

namespace l4ward::agent {
namespace {

constexpr char kDualStack[] = R"(
checks:
  healthz: { type: http, port: 8080, path: /h, host: www.example.org, status: [200, 204], drain_status: [404] }
pools:
  edge:
    forward: tunnel
    check: healthz
    servers:
      - { name: b, address: [192.0.2.102, "2001:db8:1::66"], weight: 2 }
      - { name: a, address: [192.0.2.101, "2001:db8:1::65"] }
services:
  web: { vips: [198.51.100.1, "2001:db8::1"], ports: [80, 443], pool: edge }
  alt: { vips: [198.51.100.2], ports: [80], pool: edge }
)";

TEST(Model, OneIpvsServicePerVipAndPort) {
  const auto model = compile(siteOf(kDualStack));
  ASSERT_EQ(model.services.size(), 5U);
  EXPECT_EQ(model.vips.size(), 3U);
  const auto& web = model.services.at(tcp("198.51.100.1:443"));
  EXPECT_EQ(web.service, "web");
  EXPECT_EQ(web.config.scheduler, "mh");
  EXPECT_EQ(web.config.flags, ipvs::kFlagMhFallback | ipvs::kFlagMhPort);
}

TEST(Model, ServersStandInAddressOrderWithTheServicesPort) {
  const auto model = compile(siteOf(kDualStack));
  const auto& web = model.services.at(tcp("198.51.100.1:443"));
  ASSERT_EQ(web.backends.size(), 2U);
  EXPECT_EQ(web.backends.begin()->first, endpoint("192.0.2.101:443"));
  EXPECT_EQ(web.backends.rbegin()->second.weight, 2U);
  EXPECT_TRUE(model.services.at(tcp("[2001:db8::1]:80"))
                  .backends.contains(endpoint("[2001:db8:1::65]:80")));
}

TEST(Model, ABackupPoolHasItsOwnWayAndIsProbedWithTheSameChecks) {
  std::string yaml = kDualStack;
  yaml.replace(yaml.find("services:"), 9, R"(  reserve:
    check: healthz
    forward: direct
    servers:
      - { name: a, address: 192.0.2.101 }  # in edge, too
      - { name: r, address: 192.0.2.9, weight: 3 }
services:)");
  const auto plain = compile(siteOf(yaml));
  yaml.replace(yaml.find("ports: [80], pool: edge"), 23,
               "ports: [80], pool: edge, backup_pool: reserve, below_quorum: keep");
  const auto model = compile(siteOf(yaml));
  const auto& alt = model.services.at(tcp("198.51.100.2:80"));
  EXPECT_EQ(alt.belowQuorum, config::BelowQuorum::keep);
  EXPECT_EQ(alt.backends.size(), 2U);
  ASSERT_EQ(alt.backups.size(), 1U);
  const auto& [address, reserve] = *alt.backups.begin();
  EXPECT_EQ(address, endpoint("192.0.2.9:80"));
  EXPECT_EQ(reserve.path.forward, ipvs::Forward::direct);
  EXPECT_EQ(reserve.weight, 3U);
  EXPECT_EQ(alt.find(address), &reserve);
  EXPECT_EQ(model.checks.size(), plain.checks.size() + 1);
  for (const auto& [id, check] : plain.checks) EXPECT_TRUE(model.checks.contains(id));
}

TEST(Model, AProbeSharedByServicesAndPortsIsMadeOnce) {
  // Four addresses on the check's own port, however many VIPs and ports there are.
  EXPECT_EQ(compile(siteOf(kDualStack)).checks.size(), 4U);
}

TEST(Model, AProbeWithoutAPortOfItsOwnIsMadePerServicePort) {
  std::string yaml = kDualStack;
  yaml.replace(yaml.find("port: 8080, "), 12, "");
  EXPECT_EQ(compile(siteOf(yaml)).checks.size(), 8U);  // of four addresses, two ports each
}

TEST(Model, IdsAreTheSameForTheSameProbeAndOnlyThen) {
  const auto before = compile(siteOf(kDualStack));
  std::string yaml = kDualStack;
  yaml.replace(yaml.find("path: /h,"), 9, "path: /i,");
  const auto after = compile(siteOf(yaml));
  for (const auto& [id, check] : before.checks) {
    EXPECT_TRUE(compile(siteOf(kDualStack)).checks.contains(id));
    EXPECT_FALSE(after.checks.contains(id));
  }
}

TEST(Model, ChecksCarryWhatTheSiteFileSays) {
  const auto model = compile(siteOf(kDualStack));
  const auto& check = model.checks.begin()->second;
  EXPECT_EQ(check.name, "healthz");
  EXPECT_EQ(check.job.probe.target.port, 8080);
  const auto& http = std::get<healthcheck::HttpProbe>(check.job.probe.how);
  EXPECT_EQ(http.path, "/h");
  EXPECT_EQ(http.host, "www.example.org");
  ASSERT_EQ(http.pass.size(), 2U);
  EXPECT_EQ(http.drain.front().first, 404U);
}

TEST(Model, MasqueradedServersMayListenAtAnotherPort) {
  const auto model = compile(siteOf(R"(
checks:
  up: { type: tcp }
  admin: { type: http, port: 8081 }
pools:
  nat: { forward: masquerade, server_port: 8080, check: [up, admin], servers: [192.0.2.101] }
  plain: { forward: masquerade, check: none, servers: [192.0.2.101] }
services:
  web: { vips: [198.51.100.1], ports: [80, 443], pool: nat }
  fast: { vips: [198.51.100.2], mark: 7, pool: nat }
  other: { vips: [198.51.100.3], ports: [80], pool: plain, backup_pool: nat }
)"));
  for (const auto& [key, service] : model.services) {
    if (service.service == "other") continue;
    ASSERT_EQ(service.backends.size(), 1U);
    EXPECT_EQ(service.backends.begin()->first, endpoint("192.0.2.101:8080"));
  }
  const auto& other = model.services.at(tcp("198.51.100.3:80"));
  EXPECT_EQ(other.backends.begin()->first, endpoint("192.0.2.101:80"));
  EXPECT_EQ(other.backups.begin()->first, endpoint("192.0.2.101:8080"));
  std::map<std::string, std::uint16_t> ports;
  for (const auto& [id, check] : model.checks) ports[check.name] = check.job.probe.target.port;
  EXPECT_EQ(ports, (std::map<std::string, std::uint16_t>{{"up", 8080}, {"admin", 8081}}));
}

TEST(Model, ATunnelMayCarryTheOtherFamily) {
  const auto model = compile(siteOf(R"(
pools:
  edge: { forward: tunnel, check: none, servers: [{ name: a, address: "2001:db8:1::65" }] }
services:
  web: { vips: [198.51.100.1], ports: [80], pool: edge }
)"));
  const auto& service = model.services.at(tcp("198.51.100.1:80"));
  EXPECT_EQ(service.backends.begin()->first, endpoint("[2001:db8:1::65]:80"));
  EXPECT_TRUE(service.backends.begin()->second.checks.empty());
}

TEST(Model, ForwardingMethodsAndTunnels) {
  const auto pathOf = [](const std::string& pool) {
    const auto model = compile(siteOf("pools:\n  p: { " + pool +
                                      ", check: none, servers: [{name: a, address: 192.0.2.1}] }\n"
                                      "services:\n  s: { vips: [198.51.100.1], ports: [80], pool: "
                                      "p, protocol: udp, scheduler: rr }\n"));
    const auto& [key, service] = *model.services.begin();
    EXPECT_EQ(key.protocol, ipvs::Protocol::udp);
    EXPECT_EQ(service.config.scheduler, "rr");
    EXPECT_EQ(service.config.flags, 0U);
    return service.backends.begin()->second.path;
  };
  EXPECT_EQ(pathOf("forward: direct").forward, ipvs::Forward::direct);
  EXPECT_EQ(pathOf("forward: masquerade").forward, ipvs::Forward::masquerade);
  EXPECT_EQ(pathOf("forward: tunnel, tunnel: { type: gue, port: 6080, checksum: true }"),
            (ipvs::Path{ipvs::Forward::tunnel, {ipvs::TunnelType::gue, 6080, 1}}));
}

}  // namespace
}  // namespace l4ward::agent
