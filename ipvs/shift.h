// How many flows a change of a Maglev table moves to another server. Pure.
#pragma once

#include <cstdint>
#include <map>

#include "base/ip.h"
#include "ipvs/maglev.h"

namespace l4ward::ipvs {

// A service's table with the flags it is read with (kFlagMhFallback, kFlagMhPort).
struct MaglevView {
  const MaglevTable& table;
  std::uint32_t flags = 0;
};

// Shares are parts of all possible flows, 0 to 1.
struct ServerShare {
  double before = 0;
  double after = 0;
};

struct FlowShift {
  // New flows that another server gets than before. A flow that was refused and now is not counts,
  // and so does one that is refused now.
  double moved = 0;
  // Of those: from a server that stays available at no smaller weight to one that was available at
  // no greater weight. Nothing about either server asks for the move.
  double needless = 0;
  // Every server of either table; what is missing to 1 is refused.
  std::map<Endpoint, ServerShare> servers = {};
};

// Of flows whose clients (addresses, and ports with kFlagMhPort) are spread evenly. Both tables
// belong to one service.
//
// Computed from the slots, without sampling, and the same on every host. Flows that go to their
// slot's owner are counted exactly; for those that are hashed again, the kernel's hash is taken as
// random. Against counting all 2^32 keys, shares are off by less than 0.0001. If the size or
// kFlagMhPort changes, each flow's slots before and after are taken as independent.
// Takes time in proportion to the number of slots: well under a millisecond for 4093.
FlowShift flowShift(const MaglevView& before, const MaglevView& after);

}  // namespace l4ward::ipvs
