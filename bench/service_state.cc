#include "bench/service_state.h"

#include <arpa/inet.h>
#include <linux/ip_vs.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace l4ward::bench {
namespace {

constexpr std::string_view kScheduler = "mh";

std::uint32_t rawAddress(const IpAddress& address) {
  std::uint32_t raw = 0;
  if (!address.isV4()) throw std::runtime_error("not IPv4: " + address.str());
  std::memcpy(&raw, address.bytes().data(), sizeof raw);
  return raw;
}

// Of one server; those of a list are added up, so that their order does not matter.
std::uint64_t mix(std::uint32_t address, std::uint16_t port, std::uint32_t weight) {
  auto value = (std::uint64_t{address} << 32 | std::uint64_t{port} << 16 | weight) + 1;
  value *= 0x9e3779b97f4a7c15U;
  value ^= value >> 29;
  return value * 0xbf58476d1ce4e5b9U;
}

}  // namespace

ServiceState::ServiceState(const ipvs::WantedTable& wanted)
    : socket_(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)) {
  if (!socket_) throw std::runtime_error(std::string("raw socket: ") + std::strerror(errno));
  for (const auto& [key, service] : wanted) {
    auto& added = all_.emplace_back();
    added.address = rawAddress(key.vip.address);
    added.port = htons(key.vip.port);
    for (const auto& [address, server] : service.destinations) {
      const auto& last = added.servers.emplace_back(
          Server{rawAddress(address.address), htons(address.port), server.nominalWeight});
      added.sum += mix(last.address, last.port, last.weight);
    }
  }
  for (const auto& service : all_) pending_.push_back(&service);
}

bool ServiceState::reached(Look look) {
  while (!pending_.empty() && holds(*pending_.front(), look)) pending_.pop_front();
  return pending_.empty();
}

std::size_t ServiceState::different() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      all_, [this](const auto& each) { return !holds(each, Look::servers); }));
}

bool ServiceState::holds(const Service& service, Look look) const {
  ip_vs_service_entry entry{};
  entry.protocol = IPPROTO_TCP;
  entry.addr = service.address;
  entry.port = service.port;
  socklen_t length = sizeof entry;
  if (::getsockopt(socket_.get(), IPPROTO_IP, IP_VS_SO_GET_SERVICE, &entry, &length) != 0) {
    return false;
  }
  if (entry.num_dests != service.servers.size() || entry.sched_name != kScheduler) return false;
  if (look == Look::counts) return true;
  return holdsServers(service, look == Look::first ? 1 : service.servers.size());
}

// The first `count` of the kernel's list.
bool ServiceState::holdsServers(const Service& service, std::size_t count) const {
  std::vector<std::uint64_t> room(
      (sizeof(ip_vs_get_dests) + count * sizeof(ip_vs_dest_entry)) / sizeof(std::uint64_t) + 1);
  auto* answer = reinterpret_cast<ip_vs_get_dests*>(room.data());
  answer->protocol = IPPROTO_TCP;
  answer->addr = service.address;
  answer->port = service.port;
  answer->num_dests = static_cast<unsigned>(count);
  auto length = static_cast<socklen_t>(sizeof *answer + count * sizeof(ip_vs_dest_entry));
  if (::getsockopt(socket_.get(), IPPROTO_IP, IP_VS_SO_GET_DESTS, answer, &length) != 0) {
    return false;
  }
  const auto* entries = reinterpret_cast<const ip_vs_dest_entry*>(answer + 1);
  if (count == 1) {
    return Server{entries->addr, entries->port, static_cast<std::uint32_t>(entries->weight)} ==
           service.servers.front();
  }
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += mix(entries[i].addr, entries[i].port, static_cast<std::uint32_t>(entries[i].weight));
  }
  return sum == service.sum;
}

}  // namespace l4ward::bench
