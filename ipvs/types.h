// IPVS services and destinations as values; numbers are the kernel's (include/uapi/linux/ip_vs.h).
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/result.h"

namespace l4ward::ipvs {

enum class Protocol : std::uint8_t { tcp = 6, udp = 17, sctp = 132 };

std::string_view toString(Protocol protocol);  // "tcp"
// What toString() gave; none for anything else.
std::optional<Protocol> parseProtocol(std::string_view text);

// What the kernel finds a service by: protocol, address and port, or a firewall mark and a family.
// A service at port 0 takes the ports that no other service of its address has (the kernel gives it
// packets only if it is persistent).
struct ServiceKey {
  Protocol protocol = Protocol::tcp;  // tcp with a mark, which fits every protocol
  Endpoint vip;                       // with a mark: 0.0.0.0:0 or [::]:0
  std::uint32_t mark = 0;             // 0: none

  static ServiceKey ofMark(std::uint32_t mark, Family family);
  bool isMark() const { return mark != 0; }
  Family family() const { return vip.address.family(); }

  // "tcp 198.51.100.1:80", "mark 7 IPv4"
  std::string str() const;
  // What str() gave. An error for anything else.
  static Result<ServiceKey> parse(std::string_view text);
  std::strong_ordering operator<=>(const ServiceKey&) const = default;
};

// IP_VS_SVC_F_*
inline constexpr std::uint32_t kFlagPersistent = 0x0001;
// Set by the kernel on every hashed service: no part of a comparison.
inline constexpr std::uint32_t kFlagHashed = 0x0002;
inline constexpr std::uint32_t kFlagOnePacket = 0x0004;
// IP_VS_SVC_F_SCHED1 to 3, which each scheduler reads in its own way.
inline constexpr std::uint32_t kFlagSched1 = 0x0008;
inline constexpr std::uint32_t kFlagSched2 = 0x0010;
inline constexpr std::uint32_t kFlagSched3 = 0x0020;
inline constexpr std::uint32_t kFlagMhFallback = kFlagSched1;  // sh has the same two
inline constexpr std::uint32_t kFlagMhPort = kFlagSched2;

struct ServiceConfig {
  // ServiceConfig::granularity: every client for itself, which is the kernel's default.
  static constexpr std::uint8_t kEachClient = 255;
  // A mask of the kernel that is no prefix; equal to nothing that is wanted.
  static constexpr std::uint8_t kNoPrefix = 254;

  std::string scheduler = "mh";  // "none": no scheduler, refuses new connections
  std::uint32_t flags = kFlagMhFallback | kFlagMhPort;  // without kFlagHashed
  // The rest belongs to persistence (kFlagPersistent).
  std::uint32_t timeout = 0;  // seconds
  // Clients that share a prefix of this length go to one server: 1 to 31, 1 to 127 for IPv6.
  std::uint8_t granularity = kEachClient;
  std::string engine = {};  // "sip", or empty

  // "scheduler mh flags mh-fallback,mh-port", "… persistent 300s /24 engine sip"
  std::string str() const;
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

// Connections (active and inactive) at which a server gets no new ones any more, and below which it
// gets them again; 0: no limit, and three quarters of upper. lower <= upper.
struct Thresholds {
  std::uint32_t upper = 0;
  std::uint32_t lower = 0;

  std::string str() const;  // "", " thresholds 800-1000"
  bool operator==(const Thresholds&) const = default;
};

// As dumped from the kernel.
struct Destination {
  Endpoint address;
  Path path;
  std::uint32_t weight = 1;
  std::uint32_t activeConnections = 0;  // observed
  std::uint32_t inactiveConnections = 0;
  Thresholds thresholds = {};
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
  Thresholds thresholds = {};
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
