// The parts of status_builder.h.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/snapshot.h"
#include "control/status.h"

namespace l4ward::agent {

// The agent's times are of a clock that people do not have.
class WallClock {
 public:
  WallClock(TimePoint at, double wall) : at_(at), wall_(wall) {}
  // Seconds since 1970; 0 for TimePoint{}, which stands for never.
  double of(TimePoint time) const;

 private:
  TimePoint at_;
  double wall_;
};

// A server of a pool, and what the services that use it make of it.
struct ServerUsers {
  const Backend* backend = nullptr;  // of any of them
  std::set<CheckId> checks;
};
using ServersInUse = std::map<std::pair<std::string, std::string>, ServerUsers>;  // pool, server
ServersInUse serversInUse(const Snapshot& snapshot);

std::vector<control::Service> servicesOf(const Snapshot& snapshot);
std::vector<control::Server> serversOf(const Snapshot& snapshot, const WallClock& clock);
std::vector<control::Check> checksOf(const Snapshot& snapshot, const WallClock& clock);
std::vector<control::Vip> vipsOf(const Snapshot& snapshot, const WallClock& clock);
std::vector<control::Neighbor> neighborsOf(const Snapshot& snapshot, const WallClock& clock);

}  // namespace l4ward::agent
