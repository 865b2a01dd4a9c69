// Where a flow goes, and why: the IPVS service that takes it, its slot in the Maglev table, the
// server. Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "agent/snapshot.h"
#include "control/lookup.h"
#include "ipvs/connections.h"
#include "ipvs/types.h"

namespace l4ward::agent {

// The service that the kernel gives packets of a flow to: that of the mark that the firewall gives
// them, of the VIP and port, or of the VIP and all other ports (ip_vs_service_find() in
// net/netfilter/ipvs/ip_vs_ctl.c). Nothing: none takes them.
std::optional<ipvs::ServiceKey> serviceOf(const Snapshot& snapshot, const ipvs::Flow& flow);

// `slots`: of this kernel's tables; 0: not known. `held`: what the kernel holds of the flow.
control::Lookup lookUp(const Snapshot& snapshot, const ipvs::Flow& flow, std::size_t slots,
                       const std::optional<ipvs::Connection>& held);

}  // namespace l4ward::agent
