#include "base/ip.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace l4ward {
namespace {

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

TEST(IpAddress, WritesWhatItReads) {
  for (const auto* text :
       {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1",
        "2001:db8:0:1:1:1:1:1", "fe80::1", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8"}) {
    EXPECT_EQ(ip(text).str(), text);
  }
  EXPECT_EQ(ip("2001:DB8:0:0:0:0:0:1").str(), "2001:db8::1");
}

TEST(IpAddress, RefusesEverythingElse) {
  using namespace std::string_literals;
  for (const auto& bad :
       {""s, "1.2.3"s, "1.2.3.4.5"s, "1.2.3.256"s, "01.2.3.4"s, " 1.2.3.4"s, "1.2.3.4 "s,
        "1.2.3.4/32"s, ":::"s, "1:2:3:4:5:6:7"s, "1::2::3"s, "fe80::1%eth0"s, "[::1]"s, "::g"s,
        "1.2.3.4\0"s, "localhost"s, std::string(1000, '1')}) {
    EXPECT_FALSE(IpAddress::parse(bad)) << bad;
  }
}

TEST(IpAddress, Bytes) {
  const std::vector<std::uint8_t> four{192, 0, 2, 1};
  const auto address = IpAddress::fromBytes(four).value();
  EXPECT_EQ(address, ip("192.0.2.1"));
  EXPECT_TRUE(std::ranges::equal(address.bytes(), four));
  EXPECT_EQ(IpAddress::fromBytes(std::vector<std::uint8_t>(16)).value(), ip("::"));
  EXPECT_FALSE(IpAddress::fromBytes(std::vector<std::uint8_t>(5)));
  EXPECT_FALSE(IpAddress::fromBytes({}));
}

TEST(IpAddress, Kinds) {
  EXPECT_TRUE(ip("0.0.0.0").isUnspecified());
  EXPECT_TRUE(ip("::").isUnspecified());
  EXPECT_FALSE(ip("0.0.0.1").isUnspecified());
  EXPECT_TRUE(ip("127.255.0.1").isLoopback());
  EXPECT_TRUE(ip("::1").isLoopback());
  EXPECT_FALSE(ip("::2").isLoopback());
  EXPECT_FALSE(ip("2001:db8::1").isLoopback());
  EXPECT_TRUE(ip("224.0.0.1").isMulticast());
  EXPECT_TRUE(ip("239.255.255.255").isMulticast());
  EXPECT_FALSE(ip("240.0.0.1").isMulticast());
  EXPECT_TRUE(ip("ff02::1").isMulticast());
  EXPECT_TRUE(ip("169.254.1.1").isLinkLocal());
  EXPECT_TRUE(ip("fe80::1").isLinkLocal());
  EXPECT_TRUE(ip("febf::1").isLinkLocal());
  EXPECT_FALSE(ip("fec0::1").isLinkLocal());
}

TEST(IpAddress, OrderIsFamilyThenBytes) {
  std::vector<IpAddress> all{ip("2001:db8::1"), ip("10.0.0.2"), ip("::"), ip("9.255.255.255"),
                             ip("10.0.0.10")};
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, (std::vector{ip("9.255.255.255"), ip("10.0.0.2"), ip("10.0.0.10"), ip("::"),
                              ip("2001:db8::1")}));
  EXPECT_NE(ip("0.0.0.0"), ip("::"));
}

TEST(IpAddress, NextCarries) {
  const auto next = [](const char* text) { return IpAddress::parse(text)->next().str(); };
  EXPECT_EQ(next("192.0.2.255"), "192.0.3.0");
  EXPECT_EQ(next("255.255.255.255"), "0.0.0.0");
  EXPECT_EQ(next("2001:db8::ffff"), "2001:db8::1:0");
}

TEST(Prefix, LastAddress) {
  const auto last = [](const char* text) { return Prefix::parse(text)->last().str(); };
  EXPECT_EQ(last("198.51.100.16/28"), "198.51.100.31");
  EXPECT_EQ(last("198.51.100.1/32"), "198.51.100.1");
  EXPECT_EQ(last("2001:db8::/32"), "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
}

TEST(Prefix, WritesWhatItReads) {
  for (const auto* text : {"0.0.0.0/0", "198.51.100.0/24", "198.51.100.1/32", "::/0",
                           "2001:db8::/33", "2001:db8::1/128"}) {
    EXPECT_EQ(Prefix::parse(text).value().str(), text);
  }
  EXPECT_EQ(Prefix::host(ip("198.51.100.1")).str(), "198.51.100.1/32");
  EXPECT_EQ(Prefix::host(ip("2001:db8::1")).str(), "2001:db8::1/128");
}

TEST(Prefix, RefusesEverythingElse) {
  for (const auto* bad :
       {"", "198.51.100.1", "198.51.100.1/", "198.51.100.1/33", "::/129", "198.51.100.1/24",
        "2001:db8::1/127x", "/24", "198.51.100.0/-1", "198.51.100.0/ 24", "198.51.100.0/24/24"}) {
    EXPECT_FALSE(Prefix::parse(bad)) << bad;
  }
}

Prefix net(std::string_view text) {
  return Prefix::parse(text).value();
}

TEST(Prefix, AroundAnAddress) {
  EXPECT_EQ(Prefix::around(ip("198.51.100.77"), 28), net("198.51.100.64/28"));
  EXPECT_EQ(Prefix::around(ip("198.51.100.77"), 32), net("198.51.100.77/32"));
  EXPECT_EQ(Prefix::around(ip("198.51.100.77"), 0), net("0.0.0.0/0"));
  EXPECT_EQ(Prefix::around(ip("2001:db8::ffff"), 121), net("2001:db8::ff80/121"));
}

TEST(Prefix, ContainsAddresses) {
  EXPECT_TRUE(net("198.51.100.64/28").contains(ip("198.51.100.64")));
  EXPECT_TRUE(net("198.51.100.64/28").contains(ip("198.51.100.79")));
  EXPECT_FALSE(net("198.51.100.64/28").contains(ip("198.51.100.80")));
  EXPECT_FALSE(net("198.51.100.64/28").contains(ip("198.51.101.64")));
  EXPECT_TRUE(net("10.0.0.0/8").contains(ip("10.255.255.255")));
  EXPECT_TRUE(net("0.0.0.0/0").contains(ip("255.255.255.255")));
  EXPECT_TRUE(net("198.51.100.1/32").contains(ip("198.51.100.1")));
  EXPECT_FALSE(net("198.51.100.1/32").contains(ip("198.51.100.0")));
  EXPECT_TRUE(net("2001:db8::/33").contains(ip("2001:db8:7fff::1")));
  EXPECT_FALSE(net("2001:db8::/33").contains(ip("2001:db8:8000::1")));
  EXPECT_TRUE(net("2001:db8::1/128").contains(ip("2001:db8::1")));
  EXPECT_FALSE(net("::/0").contains(ip("0.0.0.0")));
  EXPECT_FALSE(net("0.0.0.0/0").contains(ip("::")));
}

TEST(Prefix, ContainsPrefixes) {
  EXPECT_TRUE(net("10.0.0.0/8").contains(net("10.1.0.0/16")));
  EXPECT_TRUE(net("10.0.0.0/8").contains(net("10.0.0.0/8")));
  EXPECT_FALSE(net("10.0.0.0/16").contains(net("10.0.0.0/8")));
  EXPECT_FALSE(net("10.0.0.0/8").contains(net("11.0.0.0/16")));
  EXPECT_FALSE(net("::/0").contains(net("10.0.0.0/8")));
}

TEST(Prefix, Size) {
  EXPECT_EQ(net("198.51.100.1/32").size(), 1U);
  EXPECT_EQ(net("198.51.100.0/28").size(), 16U);
  EXPECT_EQ(net("0.0.0.0/0").size(), 4294967296U);
  EXPECT_EQ(net("2001:db8::/65").size(), std::uint64_t{1} << 63);
  EXPECT_EQ(net("2001:db8::/64").size(), ~std::uint64_t{0});
  EXPECT_EQ(net("2001:db8::/32").size(), ~std::uint64_t{0});
  EXPECT_TRUE(net("2001:db8::1/128").isHost());
  EXPECT_TRUE(net("192.0.2.1/32").isHost());
  EXPECT_FALSE(net("2001:db8::/32").isHost());
}

TEST(Endpoint, WritesWhatItReads) {
  for (const auto* text : {"192.0.2.1:80", "192.0.2.1:0", "[2001:db8::1]:65535"}) {
    EXPECT_EQ(Endpoint::parse(text).value().str(), text);
  }
}

TEST(Endpoint, RefusesEverythingElse) {
  for (const auto* bad :
       {"", ":", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "[192.0.2.1]:80",
        "2001:db8::1:80", "[2001:db8::1]", "[2001:db8::1]80", "[]:80", "192.0.2.1:80 "}) {
    EXPECT_FALSE(Endpoint::parse(bad)) << bad;
  }
}

TEST(Endpoint, OrderIsAddressThenPort) {
  EXPECT_LT((Endpoint{ip("10.0.0.1"), 443}), (Endpoint{ip("10.0.0.2"), 80}));
  EXPECT_LT((Endpoint{ip("10.0.0.1"), 80}), (Endpoint{ip("10.0.0.1"), 443}));
}

}  // namespace
}  // namespace l4ward
