#include "bgp/exabgp_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace l4ward::bgp {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

ExabgpConfig example() {
  ExabgpConfig config;
  config.relayProgram = "/usr/libexec/l4ward/l4ward-exabgp";
  config.relaySocket = "/run/l4ward/bgp.sock";
  config.relayState = "/run/l4ward/relay.json";
  config.localAs = 65001;
  config.routerId = ip("192.0.2.11");
  config.neighbors = {{ip("192.0.2.1"), ip("192.0.2.11"), 65000, Millis(6500), ""},
                      {ip("2001:db8::1"), ip("2001:db8::11"), 65000, Millis(9000), "a b\\c"}};
  return config;
}

TEST(ExabgpConfigTest, WritesTheWholeFile) {
  EXPECT_EQ(exabgpConfigText(example()), R"(# Written by l4ward; changes are lost.
process l4ward {
    run "/usr/libexec/l4ward/l4ward-exabgp" "/run/l4ward/bgp.sock" "/run/l4ward/relay.json";
    encoder json;
}
neighbor 192.0.2.1 {
    router-id 192.0.2.11;
    local-address 192.0.2.11;
    local-as 65001;
    peer-as 65000;
    hold-time 7;
    manual-eor true;
    adj-rib-in false;
    capability {
        asn4 enable;
        graceful-restart 30;
    }
    family { ipv4 unicast; }
    api { processes [ l4ward ]; neighbor-changes; }
}
neighbor 2001:db8::1 {
    router-id 192.0.2.11;
    local-address 2001:db8::11;
    local-as 65001;
    peer-as 65000;
    hold-time 9;
    md5-password "a b\\c";
    md5-base64 false;
    manual-eor true;
    adj-rib-in false;
    capability {
        asn4 enable;
        graceful-restart 30;
    }
    family { ipv6 unicast; }
    api { processes [ l4ward ]; neighbor-changes; }
}
)");
}

TEST(ExabgpConfigTest, GracefulRestartCanBeOff) {
  ExabgpConfig config = example();
  config.gracefulRestart = Millis(0);
  EXPECT_THAT(exabgpConfigText(config), Not(HasSubstr("graceful-restart")));
  config.gracefulRestart = Millis(9'000'000);
  EXPECT_THAT(exabgpConfigText(config), HasSubstr("graceful-restart 4095;"));
}

struct NeighborCase {
  const char* name;
  ExabgpNeighbor neighbor;
  std::vector<std::string> has, hasNot;
};

ExabgpNeighbor withOptions(unsigned multihop, unsigned ttlSecurity, bool passive,
                           std::uint16_t port) {
  return {ip("192.0.2.9"), ip("192.0.2.11"), 65000,   Millis(9000), "",
          multihop,        ttlSecurity,      passive, port};
}

TEST(ExabgpConfigTest, WritesTheOptionsOfANeighbor) {
  const std::vector<NeighborCase> cases = {
      {"multihop", withOptions(4, 0, false, 179), {"    outgoing-ttl 4;\n"}, {"incoming-ttl"}},
      {"ttl security", withOptions(0, 2, false, 179), {"    outgoing-ttl 255;\n"}, {"incoming"}},
      {"passive",
       withOptions(0, 0, true, 179),
       {"    passive true;\n    listen 179;\n"},
       {"ttl", "connect"}},
      {"passive, ttl security",
       withOptions(0, 1, true, 1790),
       {"    incoming-ttl 255;\n", "    listen 1790;\n"},
       {"outgoing-ttl", "connect"}},
      {"passive, multihop", withOptions(4, 0, true, 179), {"listen"}, {"ttl"}},
      {"port", withOptions(0, 0, false, 1790), {"    connect 1790;\n"}, {"passive", "listen"}}};
  for (const NeighborCase& one : cases) {
    SCOPED_TRACE(one.name);
    ExabgpConfig config = example();
    config.neighbors = {one.neighbor};
    const std::string text = exabgpConfigText(config);
    for (const std::string& part : one.has) EXPECT_THAT(text, HasSubstr(part));
    for (const std::string& part : one.hasNot) EXPECT_THAT(text, Not(HasSubstr(part)));
  }
}

TEST(ExabgpConfigTest, OnlyANewListenerNeedsARestart) {
  ExabgpConfig before = example();
  before.neighbors.push_back(withOptions(0, 0, true, 179));
  const auto restarts = [&before](const ExabgpConfig& after) {
    return needsRestart(exabgpConfigText(before), exabgpConfigText(after));
  };
  ExabgpConfig after = before;
  EXPECT_FALSE(restarts(after));
  after.neighbors[0].holdTime = Millis(30000);
  after.neighbors.erase(after.neighbors.begin() + 1);
  EXPECT_FALSE(restarts(after)) << "no listener changed";
  after.neighbors.back().port = 1790;
  EXPECT_TRUE(restarts(after));
  EXPECT_TRUE(needsRestart("", exabgpConfigText(before)));
}

TEST(ExabgpConfigTest, KnowsWhatCannotBeQuoted) {
  EXPECT_TRUE(checkExabgpString("s3cret #;{}[] \\"));
  EXPECT_FALSE(checkExabgpString("it's"));
  EXPECT_FALSE(checkExabgpString("say \"so\""));
  EXPECT_FALSE(checkExabgpString("caf\xc3\xa9"));
  EXPECT_FALSE(checkExabgpString("a\nb"));
}

TEST(ExabgpConfigTest, EnvironmentNamesTheUser) {
  const auto environment = exabgpEnvironment("exabgp");
  EXPECT_EQ(environment.at("exabgp_daemon_user"), "exabgp");
  EXPECT_EQ(environment.at("exabgp_api_ack"), "true");
  EXPECT_EQ(environment.at("exabgp_tcp_bind"), "");
}

}  // namespace
}  // namespace l4ward::bgp
