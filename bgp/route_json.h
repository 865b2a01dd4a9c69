// Routes as JSON, grouped by neighbor and attributes so that many prefixes stay small:
// [{"neighbor": "192.0.2.1", "next_hop": "192.0.2.11", "med": 100, "communities": ["65001:80"],
//   "prefixes": ["198.51.100.1/32", …]}, …]. Shared by the protocol and the relay's record.
#pragma once

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "bgp/route.h"

namespace l4ward::bgp {

nlohmann::json toJson(const RouteSet& routes);

// Checks everything: families that fit, communities that are safe to put in a line.
Result<RouteSet> routesFromJson(const nlohmann::json& groups);

}  // namespace l4ward::bgp
