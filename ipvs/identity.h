// Which kernel state a process talks to.
#pragma once

#include <string>

#include "base/result.h"

namespace l4ward::ipvs {

// The kernel's boot id and the number of this process's network namespace: what IPVS holds belongs
// to exactly one such pair. From /proc/sys/kernel/random/boot_id and /proc/self/ns/net.
Result<std::string> kernelIdentity();

}  // namespace l4ward::ipvs
