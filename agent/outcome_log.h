// What probes say, for the log: the changes only.
#pragma once

#include "agent/health.h"
#include "agent/model.h"

namespace l4ward::agent {

// `update` is what `outcome`, of `check`, did.
void logOutcome(const Check& check, const healthcheck::Outcome& outcome,
                const HealthTable::Update& update);

}  // namespace l4ward::agent
