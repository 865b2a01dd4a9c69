// ExaBGP as a service of its own: `l4ward-exabgp --run-exabgp DIR`, which a service manager starts,
// and starts again whenever it ends. The agent's part is ExabgpProcess with Options::service.
#pragma once

#include <string>

#include "base/result.h"

namespace l4ward::bgp {

// Waits until the agent has written <runDir>/exabgp.conf and no other ExaBGP runs on that
// directory; then records this process in exabgp.pid and becomes ExaBGP (execve(2)). Returns only
// with an error, in a sentence. `program` is looked up in PATH.
Error becomeExabgp(const std::string& runDir, const std::string& program = "exabgp");

}  // namespace l4ward::bgp
