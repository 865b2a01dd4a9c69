#include "config/communities.h"

#include <gtest/gtest.h>

namespace l4ward::config {
namespace {

TEST(Communities, Numbers) {
  EXPECT_EQ(parseCommunity("0:0"), "0:0");
  EXPECT_EQ(parseCommunity("65535:65535"), "65535:65535");
  for (const auto* bad : {"", ":", "1", "1:", ":1", "65536:1", "1:65536", "1:2:3", "-1:1", "1 :2",
                          "01:2", "no-exports", "NO-EXPORT"}) {
    EXPECT_EQ(parseCommunity(bad), std::nullopt) << bad;
  }
}

// https://www.iana.org/assignments/bgp-well-known-communities, there in hexadecimal
TEST(Communities, NamesAreNumbers) {
  const auto numberOf = [](const char* name) {
    const auto text = parseCommunity(name).value_or("0:0");
    const auto colon = text.find(':');
    return std::stoul(text.substr(0, colon)) << 16U | std::stoul(text.substr(colon + 1));
  };
  EXPECT_EQ(numberOf("graceful-shutdown"), 0xFFFF0000U);
  EXPECT_EQ(numberOf("accept-own"), 0xFFFF0001U);
  EXPECT_EQ(numberOf("blackhole"), 0xFFFF029AU);
  EXPECT_EQ(numberOf("no-export"), 0xFFFFFF01U);
  EXPECT_EQ(numberOf("no-advertise"), 0xFFFFFF02U);
  EXPECT_EQ(numberOf("no-export-subconfed"), 0xFFFFFF03U);
  EXPECT_EQ(numberOf("no-peer"), 0xFFFFFF04U);
  for (const auto& name : communityNames()) EXPECT_TRUE(parseCommunity(name)) << name;
}

TEST(Communities, Large) {
  for (const auto* good : {"0:0:0", "4294967295:4294967295:4294967295"}) {
    EXPECT_EQ(parseLargeCommunity(good), good);
  }
  for (const auto* bad : {"", "1:2", "1:2:3:4", "1::3", ":1:2", "1:2:", "4294967296:0:0",
                          "0:4294967296:0", "0:0:4294967296", "1:2:03", "a:b:c", "1:2: 3"}) {
    EXPECT_EQ(parseLargeCommunity(bad), std::nullopt) << bad;
  }
}

// Six bytes: two or four say who, the others what.
TEST(Communities, Extended) {
  for (const auto* good :
       {"target:65001:80", "origin:65001:80", "target:0:0", "target:65535:4294967295",
        "origin:65536:65535", "target:4294967295:65535", "origin:192.0.2.1:65535"}) {
    EXPECT_EQ(parseExtendedCommunity(good), good);
  }
  for (const auto* bad :
       {"", "65001:80", "target", "target:65001", "target:65001:", "target::80", "targe:65001:80",
        "TARGET:65001:80", "target4:65001:80", "target:65001:80:1", "target:65535:4294967296",
        "target:65536:65536", "target:4294967296:1", "origin:192.0.2.1:65536", "target:192.0.2:1",
        "target:65001L:80", "target:65001:192.0.2.1", "target: 1:1", "0x0002fde900000050"}) {
    EXPECT_EQ(parseExtendedCommunity(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace l4ward::config
