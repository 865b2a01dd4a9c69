// IPVS's own counters. Pure.
#pragma once

#include <cstdint>
#include <map>

#include "ipvs/types.h"

namespace l4ward::ipvs {

// Since a service or destination was added, or its counters were zeroed. Out: only what comes back
// through this node, which is nothing with tunnels and direct routing.
struct Counters {
  std::uint64_t connections = 0;  // scheduled
  std::uint64_t packetsIn = 0;
  std::uint64_t packetsOut = 0;
  std::uint64_t bytesIn = 0;
  std::uint64_t bytesOut = 0;
  bool operator==(const Counters&) const = default;
};

struct DestinationStatistics {
  Counters counters;
  std::uint32_t activeConnections = 0;
  std::uint32_t inactiveConnections = 0;
  bool operator==(const DestinationStatistics&) const = default;
};

struct ServiceStatistics {
  Counters counters;
  std::map<Endpoint, DestinationStatistics> destinations;
  bool operator==(const ServiceStatistics&) const = default;
};

using Statistics = std::map<ServiceKey, ServiceStatistics>;

}  // namespace l4ward::ipvs
