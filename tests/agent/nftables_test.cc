#include "agent/nftables.h"

#include <gmock/gmock.h>

#include "tests/agent/fixture.h"

namespace l4ward::agent {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string rules(const std::string& services) {
  return nftablesText(
      siteOf("pools: { p: { check: none, servers: [{ name: a, address: 192.0.2.1 "
             "}] } }\nservices:\n" +
             services));
}

TEST(Nftables, OneRuleAFamily) {
  const auto text = rules(
      "  web: { vips: [198.51.100.0/28, 203.0.113.7, \"2001:db8::/124\"], ports: [80, 443], "
      "mark: 7, pool: p }\n"
      "  dns: { vips: [198.51.100.53], protocol: udp, mark: 4294967295, pool: p }\n"
      "  plain: { vips: [198.51.100.99], ports: [80], pool: p }\n");
  EXPECT_THAT(text, HasSubstr("    ip daddr { 198.51.100.0/28, 203.0.113.7 } tcp dport { 80, 443 } "
                              "meta mark set 7 comment \"web\"\n"));
  EXPECT_THAT(text,
              HasSubstr("    ip6 daddr 2001:db8::/124 tcp dport { 80, 443 } meta mark set 7 "));
  EXPECT_THAT(text, HasSubstr("    ip daddr 198.51.100.53 meta l4proto udp meta mark set "
                              "4294967295 comment \"dns\"\n"));
  EXPECT_THAT(text, Not(HasSubstr("plain")));
}

TEST(Nftables, WithoutMarksTheTableGoes) {
  const auto text = rules("  plain: { vips: [198.51.100.99], ports: [80], pool: p }\n");
  EXPECT_TRUE(text.ends_with("delete table inet l4ward\n")) << text;
}

}  // namespace
}  // namespace l4ward::agent
