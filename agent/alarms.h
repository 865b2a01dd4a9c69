// What is wrong on a node or about to be. Pure.
#pragma once

#include <vector>

#include "control/status.h"

namespace l4ward::agent {

// The worst first; of equals, the oldest. Made of the status's other parts. `driftAt`: when
// differences were found in the kernel last, seconds since 1970; 0: never.
std::vector<control::Alarm> alarmsOf(const control::NodeStatus& status, double driftAt);

}  // namespace l4ward::agent
