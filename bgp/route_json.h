// Routes as JSON, grouped by neighbor and attributes so that many prefixes stay small:
// [{"neighbor": "192.0.2.1", "next_hop": "192.0.2.11", "med": 100, "local_preference": 200,
//   "as_path": [65001], "communities": ["65001:80"], "large_communities": ["65001:1:2"],
//   "extended_communities": ["target:65001:80"], "prefixes": ["198.51.100.1/32", …]}, …].
// What is not set is left out. Shared by the protocol and the relay's record.
#pragma once

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "bgp/route.h"

namespace l4ward::bgp {

nlohmann::json toJson(const RouteSet& routes);

// Checks everything: families that fit, numbers in their ranges, communities that are safe to put
// in a line, and so few attributes that they fit into one.
Result<RouteSet> routesFromJson(const nlohmann::json& groups);

}  // namespace l4ward::bgp
