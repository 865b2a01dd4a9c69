#include "agent/site_hash.h"

#include <gtest/gtest.h>

#include "tests/agent/controller_fixture.h"

namespace l4ward::agent {
namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(SiteHash, IsTheSameOnNodesThatWereToldTheSame) {
  const auto yaml = site("1 2 3", "web alt");
  const auto hash = siteHash(siteOf(yaml));
  EXPECT_EQ(hash.size(), 16U);
  EXPECT_EQ(siteHash(siteOf("node: other\ninterface: dummy0\n" + yaml)), hash);
  EXPECT_EQ(siteHash(siteOf(replaced(yaml, "192.0.2.11", "192.0.2.12"))), hash);
  EXPECT_EQ(siteHash(siteOf(
                replaced(yaml, "path: /healthcheck", "path: /healthcheck, source: 192.0.2.12"))),
            hash);
}

class OtherSite : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(OtherSite, HasAnotherHash) {
  const auto yaml = site("1 2 3", "web alt");
  const auto& [from, to] = GetParam();
  EXPECT_NE(siteHash(siteOf(replaced(yaml, from, to))), siteHash(siteOf(yaml)));
}

INSTANTIATE_TEST_SUITE_P(All, OtherSite,
                         testing::Values(std::pair("fall: 3", "fall: 2"),
                                         std::pair("/healthcheck", "/other"),
                                         std::pair("192.0.2.102", "192.0.2.112"),
                                         std::pair("lb7-3", "lb7-4"),
                                         std::pair("ports: [80]", "ports: [80, 443]"),
                                         std::pair("198.51.100.2", "198.51.100.3"),
                                         std::pair("pool: edge }", "pool: edge, quorum: 2 }"),
                                         std::pair("pool: edge }", "pool: edge, scheduler: rr }"),
                                         std::pair("check: healthz", "check: none")));

TEST(SiteHash, KnowsWhereServersListen) {
  const auto hashOf = [](const std::string& port) {
    return siteHash(siteOf("pools: { nat: { forward: masquerade, server_port: " + port +
                           ", check: none, servers: [192.0.2.101] } }\nservices: {}\n"));
  };
  EXPECT_EQ(hashOf("8080"), hashOf("8080"));
  EXPECT_NE(hashOf("8080"), hashOf("8081"));
}

}  // namespace
}  // namespace l4ward::agent
