// l4ward --remove.
#pragma once

#include "agent/options.h"

namespace l4ward::agent {

// Removes what the record in the run directory names (agent/removal.h) and says so. Enters the
// network namespace if one is given. Returns the exit status.
int removeCommand(const Options& options);

}  // namespace l4ward::agent
