// What Prometheus is told. docs/metrics.md lists all metrics.
#pragma once

#include <cstddef>
#include <string>

#include "control/status.h"

namespace l4ward::control {

// With more destinations, servers or checks than this a node shows none of them one by one, only
// services, pools and check names, and l4ward_metrics_truncated is 1.
inline constexpr std::size_t kMaxMetricItems = 20000;

// In Prometheus' text format 0.0.4. Pure.
std::string metricsText(const NodeStatus& status);

}  // namespace l4ward::control
