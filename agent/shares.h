// What the Maglev tables give to each server: the digests and shares of a status. Not for the loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/snapshot.h"
#include "control/status.h"
#include "ipvs/maglev.h"

namespace l4ward::agent {

// For one thread.
class Shares {
 public:
  // Fills in tableSlots, digests and shares; of services that have not changed since the last call
  // no table is made again. `slots`: of this kernel's tables; 0: not known, and nothing is filled
  // in.
  void add(control::NodeStatus& status, const Snapshot& snapshot, std::size_t slots);

 private:
  struct Known {
    std::vector<ipvs::MaglevServer> servers;  // all taken as available
    std::uint32_t flags = 0;
    std::size_t slots = 0;
    std::string digest;
    std::vector<double> shares;  // of `servers`
  };

  static void compute(Known& known, Family family);

  std::map<ipvs::ServiceKey, Known> known_;
};

}  // namespace l4ward::agent
