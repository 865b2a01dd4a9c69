#include "ipvs/netlink.h"

#include <gmock/gmock.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "tests/ipvs/own_network.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const ServiceKey kWeb = tcp("198.51.100.1:80");
const ServiceKey kWeb6 = tcp("[2001:db8::c633:6401]:80");

using Netlink = RealKernel;

TEST_F(Netlink, StartsEmpty) {
  const auto table = kernel->dump();
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_THAT(*table, IsEmpty());
}

TEST_F(Netlink, EveryPathComesBack) {
  const auto far = endpoint("[2001:db8:1::1]:80");
  WantedTable wanted;
  auto& v4 = wanted[kWeb];
  v4.destinations = {{server(1), in(1, kIpip)},
                     {server(2), in(2, {Forward::tunnel, {TunnelType::gue, 6080, 0}})},
                     {server(3), in(3, {Forward::tunnel, {TunnelType::gre, 0, kTunnelChecksum}})},
                     {server(4), in(4, kDirect)},
                     {server(5), out(5, {Forward::masquerade, {}})},
                     {server(6), in(6, {Forward::local, {}})},
                     {far, in(7, {Forward::tunnel, {TunnelType::gue, 6081, kTunnelChecksum}})}};
  auto& v6 = wanted[kWeb6];
  v6.config = {"mh", kFlagMhFallback, 0};
  v6.destinations = {{server(1), in(1, kIpip)}, {far, out(2, kDirect)}};
  wanted[{Protocol::udp, endpoint("198.51.100.2:53")}].config = {"rr", 0x4, 0};
  wanted[{Protocol::sctp, endpoint("198.51.100.2:53")}].config = {"sh", 0x1, 300};
  Node node{*kernel};
  node.program(wanted);
  ASSERT_THAT(node.report.failures, IsEmpty());
  const auto actual = *kernel->dump();
  ASSERT_EQ(actual.size(), wanted.size());
  for (const auto& [key, service] : wanted) {
    EXPECT_EQ(actual.at(key).config, service.config) << key.str();
    ASSERT_EQ(actual.at(key).destinations.size(), service.destinations.size());
    auto held = actual.at(key).destinations.begin();
    for (const auto& [address, want] : service.destinations) {
      const Destination expected{address, want.path, want.out ? 0 : want.nominalWeight};
      EXPECT_EQ(*held++, expected) << address.str();
    }
  }
  const auto writes = kernel->writes();
  EXPECT_THAT(texts(node.program(wanted)), IsEmpty());
  EXPECT_EQ(kernel->writes(), writes) << "a restart without change wrote";
}

TEST_F(Netlink, LargePoolKeepsItsOrder) {
  WantedTable wanted{{kWeb, pool(1000)}};
  Node node{*kernel};
  node.program(wanted);
  ASSERT_THAT(node.report.failures, IsEmpty());
  EXPECT_EQ(node.report.applied, 1002U);
  const auto actual = kernel->dump()->at(kWeb).destinations;
  ASSERT_THAT(actual, SizeIs(1000));
  for (unsigned i = 1; i <= 1000; ++i) ASSERT_EQ(actual[i - 1].address, server(i));
  EXPECT_THAT(node.program(wanted), IsEmpty());
}

TEST_F(Netlink, ForeignServicesStay) {
  shell(
      "ipvsadm -A -t 203.0.113.9:443 -s wlc -p 300 && "
      "ipvsadm -a -t 203.0.113.9:443 -r 192.0.2.1:443 -m -w 7 && "
      "ipvsadm -A -f 77 -s rr && ipvsadm -a -f 77 -r 192.0.2.1 -g");
  const auto before = *kernel->dump();
  ASSERT_THAT(before, SizeIs(2));
  const auto& service = before.at(tcp("203.0.113.9:443"));
  EXPECT_EQ(service.config, (ServiceConfig{"wlc", kFlagPersistent, 300}));
  const auto& marked = before.at(ServiceKey::ofMark(77, Family::v4));
  EXPECT_EQ(marked.destinations[0], (Destination{endpoint("192.0.2.1:0"), kDirect, 1}));
  EXPECT_EQ(service.destinations[0],
            (Destination{endpoint("192.0.2.1:443"), {Forward::masquerade, {}}, 7}));
  Node node{*kernel};
  node.program({{kWeb, pool(2)}});
  node.program({}, {kWeb});
  EXPECT_EQ(*kernel->dump(), before);
}

// More failures than one batch, and their answers, can hold.
TEST_F(Netlink, FailuresInALargeBatchHaveTheRightIndex) {
  std::vector<Operation> operations{{kWeb, AddService{}}};
  for (unsigned i = 1; i <= 400; ++i) {
    operations.push_back({kWeb, AddDestination{server(i), kIpip, 1}});
    if (i % 3 == 0) operations.push_back({kWeb, AddDestination{server(i), kIpip, 1}});
    if (i % 7 == 0) operations.push_back({kWeb, DeleteDestination{server(1000 + i)}});
    if (i % 50 == 0) operations.push_back({kWeb6, DeleteDestination{server(i)}});
  }
  const auto report = kernel->apply(operations);
  EXPECT_FALSE(report.unknown);
  EXPECT_THAT(report.failures, SizeIs(400 / 3 + 400 / 7 + 400 / 50));
  EXPECT_EQ(report.applied + report.failures.size(), operations.size());
  std::size_t last = 0;
  for (const auto& [index, error] : report.failures) {
    ASSERT_GT(index, last);
    last = index;
    const auto& operation = operations[index];
    EXPECT_THAT(error.message, HasSubstr(operation.str()));
    const bool add = std::holds_alternative<AddDestination>(operation.what);
    EXPECT_EQ(error.code, operation.service == kWeb6 ? ESRCH : add ? EEXIST : ENOENT);
  }
  EXPECT_THAT(kernel->dump()->at(kWeb).destinations, SizeIs(400));
}

TEST_F(Netlink, LargestBatchOfFailuresFitsTheReceiveBuffer) {
  auto wide = NetlinkKernel::open({.batch = 100'000});
  ASSERT_TRUE(wide);
  const std::vector<Operation> operations(2000, {kWeb, DeleteDestination{server(1)}});
  const auto report = (*wide)->apply(operations);
  EXPECT_FALSE(report.unknown);
  ASSERT_THAT(report.failures, SizeIs(2000));
  for (const auto& [index, error] : report.failures) ASSERT_EQ(error.code, ESRCH);
}

TEST_F(Netlink, DefaultBatchOfFailuresFitsADefaultReceiveBuffer) {
  auto narrow = NetlinkKernel::open({.receiveBuffer = 212'992 / 2});  // the kernel doubles it
  ASSERT_TRUE(narrow);
  const std::vector<Operation> operations(128, {kWeb, DeleteDestination{server(1)}});
  const auto report = (*narrow)->apply(operations);
  EXPECT_FALSE(report.unknown);
  ASSERT_THAT(report.failures, SizeIs(128));
}

TEST_F(Netlink, OverrunIsNoticedAndMended) {
  auto narrow = NetlinkKernel::open({.receiveBuffer = 4096});
  ASSERT_TRUE(narrow);
  std::vector<Operation> operations(300, {kWeb, DeleteDestination{server(1)}});
  operations[0] = {kWeb, AddService{}};
  const auto report = (*narrow)->apply(operations);
  EXPECT_TRUE(report.unknown);
  EXPECT_EQ(report.applied, 0U);
  ASSERT_THAT(report.failures, SizeIs(300));
  EXPECT_EQ(report.failures[0].error.code, ENOBUFS);
  const auto table = (*narrow)->dump();
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_TRUE(table->contains(kWeb)) << "done nevertheless";
}

TEST_F(Netlink, ErrorsAreSentences) {
  const auto message = [&](const ServiceKey& key, auto what) {
    const Operation operation{key, what};
    const auto report = kernel->apply({&operation, 1});
    return report.failures.empty() ? "" : report.failures[0].error.message;
  };
  EXPECT_THAT(message(kWeb, AddService{{"nosuch", 0, 0}}),
              HasSubstr("scheduler nosuch is not in the kernel: run 'modprobe ip_vs_nosuch'"));
  EXPECT_THAT(message(kWeb, AddService{{"averyverylongname", 0, 0}}), HasSubstr("15 characters"));
  EXPECT_EQ(message(kWeb, AddService{}), "");
  EXPECT_THAT(message(kWeb, AddService{}), HasSubstr("already exists"));
  EXPECT_THAT(message(kWeb6, EditService{}), HasSubstr("the service does not exist"));
  EXPECT_THAT(message(kWeb, EditService{{"nosuch", 0, 0}}), HasSubstr("modprobe"));
  EXPECT_THAT(message(kWeb, EditDestination{server(1), kIpip, 1}),
              HasSubstr("the server does not exist"));
  EXPECT_THAT(message(kWeb, AddDestination{endpoint("[2001:db8::1]:80"), kDirect, 1}),
              HasSubstr("through a tunnel only"));
  EXPECT_THAT(message(kWeb, AddDestination{server(1), {Forward::tunnel, {TunnelType::gue}}, 1}),
              HasSubstr("needs a port"));
  EXPECT_THAT(message(kWeb, AddDestination{server(1), kIpip, 0x80000000}), HasSubstr("weight"));
}

TEST_F(Netlink, MaglevRefusesMoreServersThanSlotsOnlyWhenItIsSet) {
  std::vector<Operation> operations{{kWeb, AddService{{"none", 0, 0}}}};
  for (unsigned i = 1; i <= 4094; ++i) {
    operations.push_back({kWeb, AddDestination{server(i), kIpip, 1}});
  }
  EXPECT_THAT(kernel->apply(operations).failures, IsEmpty());
  EXPECT_EQ(run(kWeb, EditService{}), EINVAL);
  EXPECT_EQ(run(kWeb, DeleteDestination{server(1)}), 0);
  EXPECT_EQ(run(kWeb, EditService{}), 0);
  EXPECT_EQ(run(kWeb, AddDestination{server(1), kIpip, 1}), 0) << "accepted under mh";
}

// Takes away or gives back all effective capabilities of this process.
class Capabilities {
 public:
  Capabilities() { ::syscall(SYS_capget, &header_, held_.data()); }
  void drop() {
    auto none = held_;
    for (auto& word : none) word.effective = 0;
    ASSERT_EQ(::syscall(SYS_capset, &header_, none.data()), 0);
  }
  ~Capabilities() { ::syscall(SYS_capset, &header_, held_.data()); }

 private:
  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> held_{};
};

TEST_F(Netlink, WithoutPrivilegeItSaysSo) {
  Capabilities capabilities;
  ASSERT_NO_FATAL_FAILURE(capabilities.drop());
  const auto opened = NetlinkKernel::open();
  ASSERT_TRUE(opened) << opened.error().message;
  const auto table = (*opened)->dump();
  ASSERT_FALSE(table);
  EXPECT_THAT(table.error().message, HasSubstr("needs CAP_NET_ADMIN"));
  const Operation operation{kWeb, AddService{}};
  const auto report = (*opened)->apply({&operation, 1});
  ASSERT_THAT(report.failures, SizeIs(1));
  EXPECT_THAT(report.failures[0].error.message, HasSubstr("needs CAP_NET_ADMIN"));
  EXPECT_FALSE(report.unknown);
}

}  // namespace
}  // namespace l4ward::ipvs
