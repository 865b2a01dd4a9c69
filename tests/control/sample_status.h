// A node with a bit of everything: what the tests of metrics, rules, dashboard and page look at.
#pragma once

#include <cstddef>

#include "control/status.h"

namespace l4ward::control {

// A server is down, one is drained, one leaves; a session is down; a check is broken.
NodeStatus sampleStatus();
// All is well, with so many services of so many servers each, which one pool a service holds.
NodeStatus largeStatus(std::size_t services, std::size_t servers);

}  // namespace l4ward::control
