// Probes on the way of clients' packets, which tell a broken tunnel from a dead server.
#pragma once

#include "healthcheck/attempt.h"

namespace l4ward::healthcheck {

// Attempts of a probe with `dataPath`. When half of the time is over without an answer, or a router
// says that there is no way, the server is asked beside the tunnel as well (and with small packets
// through it, if the probe's is of full size). Nobody else's verdict hangs on these: they only tell
// what is broken.
Result<std::unique_ptr<Attempts>> tunnelAttempts(const Attempts::Shared& shared,
                                                 const Probe& probe);

// As makeAttempts, for the probe as it is, without such comparison.
Result<std::unique_ptr<Attempts>> plainAttempts(const Attempts::Shared& shared, const Probe& probe);

}  // namespace l4ward::healthcheck
