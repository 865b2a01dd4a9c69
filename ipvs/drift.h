// What somebody else changed: the table as it was left against the table as it was found. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "ipvs/types.h"

namespace l4ward::ipvs {

struct Drift {
  ServiceKey service;
  std::string what;  // "gone", "192.0.2.1:80 has weight 5, not 1", "the servers' order changed"

  bool operator==(const Drift&) const = default;
};

// In the order of the services; those that are not `ours` are left out, as are connection counts.
// At most one entry a service, server and kind of change; one entry for a service that is gone.
std::vector<Drift> driftOf(const ActualTable& left, const ActualTable& found,
                           const std::set<ServiceKey>& ours);

}  // namespace l4ward::ipvs
