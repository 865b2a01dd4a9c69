// Whether a virtual IP can serve, and so whether it is announced. Pure.
#pragma once

#include <span>
#include <string>

#include "agent/health.h"
#include "agent/model.h"

namespace l4ward::agent {

// What is known about one IPVS service of a virtual IP.
struct ServiceView {
  bool exists = false;          // the kernel holds it
  bool programmed = false;      // and holds just what was wanted
  bool complete = false;        // each of its servers has a verdict
  bool quorum = false;          // enough servers are up
  bool quorumPossible = false;  // enough are up or have no verdict yet
};

enum class Decision { announce, keep, withdraw };

// All services of a virtual IP must serve. `keep`: not enough is known to change what stands.
Decision decide(bool addressPresent, std::span<const ServiceView> services);

// The three fields that health decides.
ServiceView viewOf(const VirtualService& service, const HealthTable& health, TimePoint now,
                   Millis deadline);

// "1 of 3 servers up, quorum 2", for logs.
std::string describe(const VirtualService& service, const HealthTable& health);

}  // namespace l4ward::agent
