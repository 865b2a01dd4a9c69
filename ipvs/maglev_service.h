// The Maglev table of a service, as the kernel holds it or as the site wants it. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "ipvs/maglev.h"
#include "ipvs/plan.h"
#include "ipvs/types.h"

namespace l4ward::ipvs {

// The servers of that table, in the kernel's order; nothing where maglevTable() has nothing.
std::optional<std::vector<MaglevServer>> maglevServers(const ServiceKey& key,
                                                       const ActualService& service,
                                                       const LastWeights& lastWeights,
                                                       std::size_t size);

// What the kernel has for `service`, which was dumped; `size` as for MaglevTable. Nothing if
//  - its scheduler is not mh,
//  - a destination at weight 0 has no entry in `lastWeights`, so that its share is not known,
//  - it has more destinations than slots: the kernel then goes on with an older table.
// A server above its upper threshold counts as available, since a dump does not tell.
std::optional<MaglevTable> maglevTable(const ServiceKey& key, const ActualService& service,
                                       const LastWeights& lastWeights, std::size_t size);

// What the kernel will have once plan() for `service` was applied. Nothing if its scheduler is not
// mh or the kernel will refuse that many destinations.
std::optional<MaglevTable> maglevTable(const ServiceKey& key, const WantedService& service,
                                       std::size_t size);

}  // namespace l4ward::ipvs
