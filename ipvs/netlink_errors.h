// What the kernel's error codes mean for IPVS requests, in sentences that say what to do.
#pragma once

#include <string_view>

#include "base/result.h"
#include "ipvs/plan.h"

namespace l4ward::ipvs {

// The failure of one operation; `explanation` is the kernel's own, often empty. Meanings are those
// of ip_vs_genl_set_cmd() and what it calls in net/netfilter/ipvs/ip_vs_ctl.c.
Error operationError(const Operation& operation, int code, std::string_view explanation);

// The failure of the channel or of a dump.
Error channelError(Error error);

}  // namespace l4ward::ipvs
