// The Maglev model against the running kernel's decisions: flows are sent, and the connection table
// says which server each was given.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fstream>
#include <map>
#include <sstream>

#include "base/unique_fd.h"
#include "ipvs/maglev.h"
#include "ipvs/netlink.h"
#include "tests/ipvs/fake_kernel.h"
#include "tests/ipvs/own_network.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

constexpr unsigned kFlows = 600;
const ServiceKey kV4{Protocol::udp, endpoint("198.51.100.1:80")};
const ServiceKey kV6{Protocol::udp, endpoint("[2001:db8::c633:6401]:80")};

struct Socket {
  sockaddr_storage storage{};
  socklen_t length = 0;

  explicit Socket(const Endpoint& at) {
    const auto bytes = at.address.bytes();
    if (at.address.isV4()) {
      auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
      v4.sin_family = AF_INET;
      v4.sin_port = htons(at.port);
      std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::uint8_t*>(&v4.sin_addr));
      length = sizeof v4;
    } else {
      auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(at.port);
      std::copy(bytes.begin(), bytes.end(), v6.sin6_addr.s6_addr);
      length = sizeof v6;
    }
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Endpoint client(Family family, unsigned number) {
  const auto port = static_cast<std::uint16_t>(2000 + number * 37);
  const auto low = std::to_string(1 + number % 200);
  return family == Family::v4 ? Endpoint{endpoint("10.9." + low + ".7:1").address, port}
                              : Endpoint{endpoint("[fd09::" + low + ":7]:1").address, port};
}

void send(const Endpoint& from, const Endpoint& to) {
  const int family = from.address.isV4() ? AF_INET : AF_INET6;
  const UniqueFd fd(::socket(family, SOCK_DGRAM, 0));
  const int on = 1;
  setsockopt(fd.get(), SOL_IP, IP_FREEBIND, &on, sizeof on);
  const Socket source(from);
  const Socket target(to);
  ASSERT_EQ(::bind(fd.get(), source.get(), source.length), 0) << from.str();
  (void)::sendto(fd.get(), "x", 1, 0, target.get(), target.length);  // may fail behind IPVS
}

// Hexadecimal digits, with colons for IPv6.
IpAddress address(const std::string& hex) {
  if (hex.find(':') != hex.npos) return *IpAddress::parse(hex);
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return *IpAddress::fromBytes(bytes);
}

std::uint16_t port(const std::string& hex) {
  return static_cast<std::uint16_t>(std::stoi(hex, nullptr, 16));
}

// The kernel's connection table: client to server.
std::map<Endpoint, Endpoint> connections() {
  std::map<Endpoint, Endpoint> result;
  std::ifstream file("/proc/net/ip_vs_conn");
  std::string line;
  std::getline(file, line);  // names of the columns
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string protocol, from, fromPort, to, toPort, at, atPort;
    fields >> protocol >> from >> fromPort >> to >> toPort >> at >> atPort;
    result[{address(from), port(fromPort)}] = {address(at), port(atPort)};
  }
  return result;
}

class MaglevKernel : public RealKernel {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(RealKernel::SetUp());
    shell(
        "ip link add up0 type dummy && ip link set up0 up && "
        "ip addr add 192.0.2.254/24 dev up0 && ip addr add 2001:db8:f::1/64 nodad dev up0 && "
        "ip route add default dev up0 && ip -6 route add default dev up0 && "
        "ip route add local 10.9.0.0/16 dev lo && ip -6 route add local fd09::/64 dev lo && "
        "ip addr add 198.51.100.1/32 dev lo && ip addr add 2001:db8::c633:6401/128 dev lo && "
        "sysctl -qw net.ipv6.ip_nonlocal_bind=1");
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
    const auto family = key.vip.address.family();
    for (unsigned i = 0; i < kFlows; ++i) {
      ASSERT_NO_FATAL_FAILURE(send(client(family, i), key.vip));
    }
    const auto real = connections();
    ASSERT_EQ(real.size(), kFlows);
    for (const auto& [from, to] : real) {
      ASSERT_EQ(fake.serverFor(key, from), to) << from.str();
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

// A server that moves in the list keeps the flows that the kernel knows.
TEST_F(MaglevKernel, FlowsSurviveAMoveInTheList) {
  WantedTable wanted{{kV4, pool(3)}};
  Node node{*kernel};
  node.program(wanted);
  for (unsigned i = 0; i < 60; ++i) send(client(Family::v4, i), kV4.vip);
  const auto before = connections();
  const auto held = kernel->dump()->at(kV4).destinations[0];
  EXPECT_GT(held.inactiveConnections, 5U);
  wanted[kV4].destinations[server(4)] = in();
  EXPECT_EQ(node.program(wanted).size(), 7U);
  EXPECT_EQ(kernel->dump()->at(kV4).destinations[0], held);
  for (unsigned i = 0; i < 60; ++i) send(client(Family::v4, i), kV4.vip);
  EXPECT_EQ(connections(), before);
}

// Adding sets the last weight also if the destination comes from the trash with another one.
TEST_F(MaglevKernel, TheTrashDoesNotKeepTheLastWeight) {
  WantedTable wanted{{kV4, pool(2)}};
  wanted[kV4].destinations[server(1)] = in(5);
  Node node{*kernel};
  node.program(wanted);
  for (unsigned i = 0; i < 30; ++i) send(client(Family::v4, i), kV4.vip);
  const std::vector<Operation> again{{kV4, DeleteDestination{server(1)}},
                                     {kV4, AddDestination{server(1), kIpip, 1}}};
  ASSERT_THAT(kernel->apply(again).failures, testing::IsEmpty());
  EXPECT_GT(kernel->dump()->at(kV4).destinations[0].inactiveConnections, 0U) << "no trash";
  const MaglevTable equal(Family::v4, {{server(1)}, {server(2)}});
  for (unsigned i = 100; i < 300; ++i) send(client(Family::v4, i), kV4.vip);
  const auto real = connections();
  for (unsigned i = 100; i < 300; ++i) {
    const auto from = client(Family::v4, i);
    ASSERT_EQ(equal.serverFor(from, kFlagMhFallback | kFlagMhPort), real.at(from));
  }
}

}  // namespace
}  // namespace l4ward::ipvs
