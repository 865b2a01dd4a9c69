#include "tests/ipvs/flows.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace l4ward::ipvs {
namespace {

constexpr std::size_t kBatch = 256;  // packets for one system call

udphdr udpOf(const Flow& flow) {
  udphdr udp{};
  udp.source = htons(flow.client.port);
  udp.dest = htons(flow.vip.port);
  udp.len = htons(sizeof udp);
  return udp;  // IPVS does not look at the checksum
}

void copy(const IpAddress& from, void* to) {
  std::memcpy(to, from.bytes().data(), from.bytes().size());
}

struct Packet4 {
  iphdr ip{};
  udphdr udp;

  explicit Packet4(const Flow& flow) : udp(udpOf(flow)) {
    ip.version = 4;
    ip.ihl = sizeof ip / 4;
    ip.ttl = 64;
    ip.protocol = IPPROTO_UDP;
    copy(flow.client.address, &ip.saddr);
    copy(flow.vip.address, &ip.daddr);
  }
};

struct Packet6 {
  ip6_hdr ip{};
  udphdr udp;

  explicit Packet6(const Flow& flow) : udp(udpOf(flow)) {
    ip.ip6_flow = htonl(6U << 28);
    ip.ip6_plen = htons(sizeof udp);
    ip.ip6_nxt = IPPROTO_UDP;
    ip.ip6_hlim = 64;
    copy(flow.client.address, &ip.ip6_src);
    copy(flow.vip.address, &ip.ip6_dst);
  }
};

sockaddr_in targetOf(const Packet4& packet) {
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_addr.s_addr = packet.ip.daddr;
  return target;
}

sockaddr_in6 targetOf(const Packet6& packet) {
  sockaddr_in6 target{};
  target.sin6_family = AF_INET6;
  target.sin6_addr = packet.ip.ip6_dst;
  return target;
}

template <typename Packet>
void sendBatch(int fd, std::span<const Flow> flows) {
  std::vector<Packet> packets(flows.begin(), flows.end());
  using Target = decltype(targetOf(packets[0]));
  std::vector<Target> targets;
  for (const auto& packet : packets) targets.push_back(targetOf(packet));
  std::vector<iovec> parts(packets.size());
  std::vector<mmsghdr> messages(packets.size());
  for (std::size_t i = 0; i < packets.size(); ++i) {
    parts[i] = {&packets[i], sizeof(Packet)};
    auto& header = messages[i].msg_hdr;
    header.msg_name = &targets[i];
    header.msg_namelen = sizeof(Target);
    header.msg_iov = &parts[i];
    header.msg_iovlen = 1;
  }
  for (std::size_t done = 0; done < messages.size();) {
    const int sent =
        ::sendmmsg(fd, &messages[done], static_cast<unsigned>(messages.size() - done), 0);
    done += static_cast<std::size_t>(std::max(1, sent));  // -1: the first was refused
  }
}

std::uint16_t hex16(std::string_view text) {
  std::uint16_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

// Eight hexadecimal digits, or groups of four with colons for IPv6.
IpAddress address(const std::string& text) {
  if (text.find(':') != text.npos) return *IpAddress::parse(text);
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  const auto order = htonl(value);
  std::array<std::uint8_t, 4> bytes{};
  std::memcpy(bytes.data(), &order, sizeof order);
  return *IpAddress::fromBytes(bytes);
}

}  // namespace

FlowSender::FlowSender()
    : v4_(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)),
      v6_(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)) {
  if (!v4_ || !v6_) throw std::runtime_error("no raw sockets");
}

void FlowSender::send(std::span<const Flow> flows) {
  while (!flows.empty()) {
    const bool v4 = flows[0].vip.address.isV4();
    std::size_t n = 0;
    while (n < flows.size() && n < kBatch && flows[n].vip.address.isV4() == v4) ++n;
    if (v4) {
      sendBatch<Packet4>(v4_.get(), flows.first(n));
    } else {
      sendBatch<Packet6>(v6_.get(), flows.first(n));
    }
    flows = flows.subspan(n);
  }
}

std::map<Flow, Endpoint> connections() {
  std::map<Flow, Endpoint> result;
  std::ifstream file("/proc/net/ip_vs_conn");
  std::string line;
  std::getline(file, line);  // names of the columns
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string protocol, from, fromPort, to, toPort, at, atPort;
    fields >> protocol >> from >> fromPort >> to >> toPort >> at >> atPort;
    const Flow flow{{address(from), hex16(fromPort)}, {address(to), hex16(toPort)}};
    if (protocol == "UDP") result[flow] = {address(at), hex16(atPort)};
  }
  return result;
}

void FlowKernel::SetUp() {
  ASSERT_NO_FATAL_FAILURE(RealKernel::SetUp());
  shell(
      "ip link add up0 type dummy && ip link set up0 up && "
      "ip addr add 192.0.2.254/24 dev up0 && ip addr add 2001:db8:f::1/64 nodad dev up0 && "
      "ip route add default dev up0 && ip -6 route add default dev up0 && "
      "ip addr add 198.51.100.1/32 dev lo && ip addr add 2001:db8::c633:6401/128 dev lo");
  sender.emplace();
}

}  // namespace l4ward::ipvs
