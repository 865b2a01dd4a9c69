// Dumps of chosen services, compared with whole ones.
#include <gmock/gmock.h>

#include <string>

#include "ipvs/netlink.h"
#include "tests/ipvs/own_network.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

const ServiceKey kWeb = tcp("198.51.100.1:80");
const ServiceKey kWeb6 = tcp("[2001:db8::c633:6401]:80");
const ServiceKey kDns{Protocol::udp, endpoint("198.51.100.1:53")};

using NetlinkDump = RealKernel;

TEST_F(NetlinkDump, ChosenServicesAreAsInAWholeDump) {
  WantedTable wanted{{kWeb, pool(300)}, {kWeb6, pool(2)}, {kDns, {}}};
  wanted[tcp("198.51.100.2:80")] = pool(3);
  Node node{*kernel};
  node.program(wanted);
  ASSERT_THAT(node.report.failures, IsEmpty());
  const auto all = *kernel->dump();
  const auto some = kernel->dump({{kWeb6, tcp("198.51.100.9:80"), kWeb, kDns}});
  ASSERT_TRUE(some) << some.error().message;
  EXPECT_THAT(*some, SizeIs(3));
  for (const auto& [key, service] : *some) EXPECT_EQ(service, all.at(key)) << key.str();
  EXPECT_THAT(*kernel->dump({{tcp("198.51.100.9:80")}}), IsEmpty());
}

TEST_F(NetlinkDump, ManyServicesFitADefaultReceiveBuffer) {
  auto narrow = NetlinkKernel::open({.receiveBuffer = 212'992 / 2});  // the kernel doubles it
  ASSERT_TRUE(narrow);
  std::vector<ServiceKey> keys;
  WantedTable wanted;
  for (std::uint16_t port = 1; port <= 300; ++port) {
    keys.push_back({Protocol::tcp, {kWeb6.vip.address, port}});
    if (port % 3 != 0) wanted[keys.back()] = pool(1);
  }
  Node node{**narrow};
  node.program(wanted);
  ASSERT_THAT(node.report.failures, IsEmpty());
  const auto some = (*narrow)->dump(keys);
  ASSERT_TRUE(some) << some.error().message;
  EXPECT_THAT(*some, SizeIs(200));
  EXPECT_EQ(*some, *(*narrow)->dump());
}

}  // namespace
}  // namespace l4ward::ipvs
