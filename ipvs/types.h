// IPVS services and destinations as values; numbers are the kernel's (include/uapi/linux/ip_vs.h).
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"

namespace l4ward::ipvs {

enum class Protocol : std::uint8_t { tcp = 6, udp = 17, sctp = 132 };

std::string_view toString(Protocol protocol);  // "tcp"

// What the kernel finds a service by. (Firewall marks will be a second kind of key.)
struct ServiceKey {
  Protocol protocol = Protocol::tcp;
  Endpoint vip;

  std::string str() const;  // "tcp 198.51.100.1:80"
  std::strong_ordering operator<=>(const ServiceKey&) const = default;
};

// IP_VS_SVC_F_SCHED1, IP_VS_SVC_F_SCHED2 as the Maglev scheduler reads them.
inline constexpr std::uint32_t kFlagMhFallback = 0x0008;
inline constexpr std::uint32_t kFlagMhPort = 0x0010;
// Set by the kernel on every hashed service: no part of a comparison.
inline constexpr std::uint32_t kFlagHashed = 0x0002;

struct ServiceConfig {
  std::string scheduler = "mh";  // "none": no scheduler, refuses new connections
  std::uint32_t flags = kFlagMhFallback | kFlagMhPort;  // without kFlagHashed
  std::uint32_t timeout = 0;                            // seconds; persistence only

  std::string str() const;  // "scheduler mh flags mh-fallback,mh-port"
  bool operator==(const ServiceConfig&) const = default;
};

enum class Forward : std::uint8_t { masquerade = 0, local = 1, tunnel = 2, direct = 3 };
enum class TunnelType : std::uint8_t { ipip = 0, gue = 1, gre = 2 };

std::string_view toString(Forward forward);  // "tunnel"; "unknown" for what only others use
std::string_view toString(TunnelType type);  // "ipip"

// IP_VS_TUNNEL_ENCAP_FLAG_*
inline constexpr std::uint16_t kTunnelChecksum = 0x0001;
inline constexpr std::uint16_t kTunnelRemoteChecksum = 0x0002;

struct Tunnel {
  TunnelType type = TunnelType::ipip;
  std::uint16_t port = 0;   // gue
  std::uint16_t flags = 0;  // kTunnel…
  bool operator==(const Tunnel&) const = default;
};

// How packets reach a server.
struct Path {
  Forward forward = Forward::tunnel;
  Tunnel tunnel;  // all zero unless forward is tunnel

  std::string str() const;  // "direct", "tunnel ipip", "tunnel gue port 6080 checksum"
  bool operator==(const Path&) const = default;
};

// As dumped from the kernel.
struct Destination {
  Endpoint address;
  Path path;
  std::uint32_t weight = 1;
  std::uint32_t activeConnections = 0;  // observed
  std::uint32_t inactiveConnections = 0;
  bool operator==(const Destination&) const = default;
};

struct ActualService {
  ServiceConfig config;
  std::vector<Destination> destinations;  // in the kernel's list order, head first
  bool operator==(const ActualService&) const = default;
};
using ActualTable = std::map<ServiceKey, ActualService>;

// What is wanted of a destination. Its slots in the Maglev table come from `nominalWeight`, whether
// it is out or not; `out` destinations get weight 0 and so no new connections.
struct WantedDestination {
  Path path;
  std::uint32_t nominalWeight = 1;  // >= 1
  bool out = false;
  bool operator==(const WantedDestination&) const = default;
};

struct WantedService {
  ServiceConfig config;
  // Ordered by address family, address and port: the canonical order of the kernel's list.
  std::map<Endpoint, WantedDestination> destinations;
  bool operator==(const WantedService&) const = default;
};
using WantedTable = std::map<ServiceKey, WantedService>;

}  // namespace l4ward::ipvs
