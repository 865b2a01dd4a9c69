#include "agent/addresses.h"

#include <gmock/gmock.h>

#include "agent/local_routes.h"
#include "agent/sysctl.h"
#include "base/file.h"
#include "tests/ipvs/own_network.h"
#include "tests/ipvs/tables.h"

namespace l4ward {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const IpAddress kV4 = ipvs::endpoint("198.51.100.1:0").address;
const IpAddress kV6 = ipvs::endpoint("[2001:db8::1]:0").address;

class AddressesTest : public ipvs::OwnNetwork {
 protected:
  Addresses addresses = *Addresses::open();
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(OwnNetwork::SetUp());
    addresses = *Addresses::open();
  }
};

TEST_F(AddressesTest, LoopbackHoldsVips) {
  EXPECT_THAT(*addresses.list("lo"), ElementsAre(ipvs::endpoint("[::1]:0").address));
  EXPECT_EQ(addresses.add("lo", kV4), true);
  EXPECT_EQ(addresses.add("lo", kV6), true);
  EXPECT_EQ(addresses.add("lo", kV4), false);
  EXPECT_EQ(addresses.add("lo", kV6), false);
  EXPECT_THAT(*addresses.list("lo"), testing::IsSupersetOf({kV4, kV6}));
  shell("ip addr show dev lo | grep -q 'inet 198.51.100.1/32 scope global lo'");
  shell("ip addr show dev lo | grep -q 'inet6 2001:db8::1/128 scope global nodad noprefixroute'");
  EXPECT_EQ(addresses.remove("lo", kV4), true);
  EXPECT_EQ(addresses.remove("lo", kV6), true);
  EXPECT_EQ(addresses.remove("lo", kV4), false);
  EXPECT_EQ(addresses.remove("lo", kV6), false);
  EXPECT_THAT(*addresses.list("lo"), ElementsAre(ipvs::endpoint("[::1]:0").address));
}

TEST_F(AddressesTest, AddressesWithANetworkAreOthers) {
  EXPECT_EQ(addresses.createDummy("up0"), true);
  shell("ip addr add 198.51.100.1/24 dev up0");
  EXPECT_THAT(*addresses.list("up0"), IsEmpty());
  EXPECT_EQ(addresses.remove("up0", kV4), false);
  EXPECT_EQ(addresses.add("up0", kV4), true);
  EXPECT_THAT(*addresses.list("up0"), ElementsAre(kV4));
  EXPECT_EQ(addresses.remove("up0", kV4), true);
  shell("ip addr show dev up0 | grep -q 198.51.100.1/24");
}

TEST_F(AddressesTest, CreatesADummyOnce) {
  EXPECT_EQ(addresses.createDummy("vip0"), true);
  EXPECT_EQ(addresses.createDummy("vip0"), false);
  shell("ip -d link show vip0 | grep -q dummy && ip link show vip0 | grep -q 'UP'");
  EXPECT_EQ(addresses.add("vip0", kV6), true);
  EXPECT_THAT(*addresses.list("vip0"), ElementsAre(kV6)) << "fe80:: has a network";
  EXPECT_EQ(addresses.removeDummy("vip0"), true);
  EXPECT_EQ(addresses.removeDummy("vip0"), false);
  EXPECT_THAT(addresses.removeDummy("lo").error().message, HasSubstr("not a dummy"));
  EXPECT_EQ(addresses.createDummy("lo"), false);
}

TEST_F(AddressesTest, ErrorsAreSentences) {
  EXPECT_EQ(addresses.list("nosuch0").error().code, ENODEV);
  EXPECT_EQ(addresses.add("nosuch0", kV4).error().message, "there is no interface nosuch0");
  EXPECT_THAT(addresses.createDummy("a name that is too long").error().message,
              HasSubstr("1 to 15 characters"));
  EXPECT_FALSE(addresses.createDummy("a/b"));
  EXPECT_FALSE(addresses.createDummy(""));
  EXPECT_THAT(addresses.add("lo", ipvs::endpoint("[ff02::1]:0").address).error().message,
              HasSubstr("cannot add ff02::1 to lo"));
}

TEST_F(AddressesTest, RangesAreLocal) {
  const auto v4 = *Prefix::parse("198.51.100.16/28");
  const auto v6 = *Prefix::parse("2001:db8::10/124");
  const auto ranges = *LocalRoutes::open();
  EXPECT_THAT(*ranges.list("lo"), ElementsAre(*Prefix::parse("127.0.0.0/8"))) << "the kernel's own";
  for (const auto& range : {v4, v6}) {
    EXPECT_EQ(ranges.add("lo", range), true);
    EXPECT_EQ(ranges.add("lo", range), false);
  }
  EXPECT_THAT(*ranges.list("lo"), testing::IsSupersetOf({v4, v6}));
  EXPECT_EQ(addresses.createDummy("up0"), true);
  EXPECT_THAT(*ranges.list("up0"), IsEmpty());
  shell("ip route show table local | grep -q '^local 198.51.100.16/28 dev lo'");
  shell("ip -6 route show table local | grep -q '^local 2001:db8::10/124 dev lo'");
  shell("ping -c1 -W1 198.51.100.31 >/dev/null && ping -c1 -W1 2001:db8::1f >/dev/null");
  for (const auto& range : {v4, v6}) {
    EXPECT_EQ(ranges.remove("lo", range), true);
    EXPECT_EQ(ranges.remove("lo", range), false);
  }
  EXPECT_EQ(ranges.list("nosuch0").error().code, ENODEV);
}

TEST_F(AddressesTest, SysctlsAreWrittenWhereTheyDiffer) {
  shell("ip link add dot.ted type dummy");
  const std::map<std::string, std::string> wanted{{"net.ipv4.conf.dot/ted.rp_filter", "2"},
                                                  {"net.ipv4.ip_local_port_range", "20000  30000"},
                                                  {"net/ipv4/vs/sloppy_tcp", "1"},
                                                  {"net.ipv4.nosuch", "1"},
                                                  {"net.ipv4.ip_forward", "x"}};
  const auto changes = applySysctls(wanted);
  ASSERT_EQ(changes.size(), 5U);
  EXPECT_EQ(changes[0].before, "0");
  EXPECT_FALSE(changes[0].error);
  EXPECT_EQ(changes[1].name, "net.ipv4.ip_forward");
  EXPECT_EQ(changes[1].error->code, EINVAL);
  EXPECT_EQ(changes[2].after, "20000 30000");
  EXPECT_FALSE(changes[2].error);
  EXPECT_EQ(changes[3].error->code, ENOENT);
  EXPECT_FALSE(changes[4].error) << changes[4].error->message;
  EXPECT_EQ(*readFile("/proc/sys/net/ipv4/conf/dot.ted/rp_filter", 10), "2\n");
  const auto again = applySysctls(wanted);
  ASSERT_EQ(again.size(), 2U) << "only what fails";
  EXPECT_TRUE(again[0].error && again[1].error);
}

}  // namespace
}  // namespace l4ward
