// The Maglev model against the running kernel's decisions: flows are sent, and the connection table
// says which server each was given.
#include <gmock/gmock.h>

#include <array>

#include "ipvs/maglev.h"
#include "tests/ipvs/fake_kernel.h"
#include "tests/ipvs/flows.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

constexpr unsigned kFlows = 600;
const ServiceKey kV4{Protocol::udp, endpoint("198.51.100.1:80")};
const ServiceKey kV6{Protocol::udp, endpoint("[2001:db8::c633:6401]:80")};

Endpoint client(Family family, unsigned number) {
  const auto port = static_cast<std::uint16_t>(2000 + number * 37);
  const auto low = std::to_string(1 + number % 200);
  return family == Family::v4 ? Endpoint{endpoint("10.9." + low + ".7:1").address, port}
                              : Endpoint{endpoint("[fd09::" + low + ":7]:1").address, port};
}

class MaglevKernel : public FlowKernel {
 protected:
  void send(const ServiceKey& key, unsigned first, unsigned end) {
    std::vector<Flow> flows;
    for (unsigned i = first; i < end; ++i) {
      flows.push_back({client(key.vip.address.family(), i), key.vip});
    }
    sender->send(flows);
  }

  // Programs both kernels, sends flows and compares.
  void compare(const ServiceKey& key, const WantedService& service) {
    const WantedTable wanted{{key, service}};
    FakeKernel fake;
    for (Kernel* each : {static_cast<Kernel*>(kernel.get()), static_cast<Kernel*>(&fake)}) {
      Node node{*each};
      node.program(wanted);
      ASSERT_THAT(node.report.failures, testing::IsEmpty());
    }
    send(key, 0, kFlows);
    const auto real = connections();
    ASSERT_EQ(real.size(), kFlows);
    const auto model = fake.maglev(key);
    for (const auto& [flow, to] : real) {
      ASSERT_EQ(model.serverFor(flow.client, service.config.flags), to) << flow.client.str();
    }
  }

  static WantedService farPool(unsigned n, const std::string& prefix) {
    WantedService service;
    for (unsigned i = 1; i <= n; ++i) {
      service.destinations[endpoint("[" + prefix + std::to_string(i) + "]:80")] = in();
    }
    return service;
  }
};

TEST_F(MaglevKernel, IPv4) {
  compare(kV4, pool(20));
}

TEST_F(MaglevKernel, WeightsAndServersThatAreOut) {
  auto service = pool(12);
  service.destinations[server(3)] = in(3);
  service.destinations[server(4)] = out(2);
  service.destinations[server(9)] = out(1);
  service.destinations[server(10)] = in(100);
  compare(kV4, service);
}

TEST_F(MaglevKernel, WithoutPort) {
  auto service = pool(20);
  service.config.flags = kFlagMhFallback;
  compare(kV4, service);
}

TEST_F(MaglevKernel, IPv6) {
  compare(kV6, farPool(20, "2001:db8:f::"));
}

TEST_F(MaglevKernel, IPv4ServersOfAnIPv6Service) {
  compare(kV6, pool(10));
}

TEST_F(MaglevKernel, IPv6ServersOfAnIPv4Service) {
  shell("ip -6 route add 2001:db9::/32 dev up0");
  auto service = farPool(5, "2001:db8:f::");
  service.destinations[endpoint("[2001:db9::1]:80")] = in();
  service.destinations[server(1)] = in();
  compare(kV4, service);
}

// The fallback tries as many slots at random as there are, and not every flow finds the two of the
// only server that is left.
TEST_F(MaglevKernel, OneOfManyIsLeft) {
  auto service = pool(2000);
  for (auto& [address, destination] : service.destinations) destination.out = address != server(7);
  Node{*kernel}.program({{kV4, service}});
  send(kV4, 0, 200);
  const auto real = connections();
  EXPECT_LT(real.size(), 200U);
  EXPECT_GT(real.size(), 100U);
  std::vector<MaglevServer> list;
  for (const auto& [address, destination] : service.destinations) {
    list.push_back({address, 1, !destination.out});
  }
  const MaglevTable model(Family::v4, list);
  for (unsigned i = 0; i < 200; ++i) {
    const auto from = client(Family::v4, i);
    ASSERT_EQ(model.serverFor(from, service.config.flags).has_value(),
              real.contains({from, kV4.vip}))
        << from.str();
  }
}

// IPVS takes them for FTP's data, before it asks the scheduler.
TEST_F(MaglevKernel, FlowsFromPort20AreLeftToTheNode) {
  Node{*kernel}.program({{kV4, pool(3)}});
  const auto from = client(Family::v4, 0).address;
  for (const auto port : std::to_array<std::uint16_t>({19, 20, 21}))
    sender->send({{from, port}, kV4.vip});
  const auto real = connections();
  EXPECT_EQ(real.size(), 2U);
  EXPECT_FALSE(real.contains({{from, 20}, kV4.vip}));
}

// A server that moves in the list keeps the flows that the kernel knows.
TEST_F(MaglevKernel, FlowsSurviveAMoveInTheList) {
  WantedTable wanted{{kV4, pool(3)}};
  Node node{*kernel};
  node.program(wanted);
  send(kV4, 0, 60);
  const auto before = connections();
  const auto held = kernel->dump()->at(kV4).destinations[0];
  EXPECT_GT(held.inactiveConnections, 5U);
  wanted[kV4].destinations[server(4)] = in();
  EXPECT_EQ(node.program(wanted).size(), 7U);
  EXPECT_EQ(kernel->dump()->at(kV4).destinations[0], held);
  send(kV4, 0, 60);
  EXPECT_EQ(connections(), before);
}

// Adding sets the last weight also if the destination comes from the trash with another one.
TEST_F(MaglevKernel, TheTrashDoesNotKeepTheLastWeight) {
  WantedTable wanted{{kV4, pool(2)}};
  wanted[kV4].destinations[server(1)] = in(5);
  Node node{*kernel};
  node.program(wanted);
  send(kV4, 0, 30);
  const std::vector<Operation> again{{kV4, DeleteDestination{server(1)}},
                                     {kV4, AddDestination{.address = server(1), .path = kIpip}}};
  ASSERT_THAT(kernel->apply(again).failures, testing::IsEmpty());
  EXPECT_GT(kernel->dump()->at(kV4).destinations[0].inactiveConnections, 0U) << "no trash";
  const MaglevTable equal(Family::v4, {{server(1)}, {server(2)}});
  send(kV4, 100, 300);
  const auto real = connections();
  for (unsigned i = 100; i < 300; ++i) {
    const auto from = client(Family::v4, i);
    ASSERT_EQ(equal.serverFor(from, kFlagMhFallback | kFlagMhPort), real.at({from, kV4.vip}));
  }
}

}  // namespace
}  // namespace l4ward::ipvs
