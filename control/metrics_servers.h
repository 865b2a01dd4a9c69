// The part of metricsText() about services, servers and checks: the one that grows with a site.
#pragma once

#include "control/metric_families.h"
#include "control/status.h"

namespace l4ward::control {

void addServices(MetricFamilies& out, const NodeStatus& status);
// `each`: also one by one, not only their sums.
void addServers(MetricFamilies& out, const NodeStatus& status, bool each);
void addChecks(MetricFamilies& out, const std::vector<Check>& checks, bool each);

}  // namespace l4ward::control
