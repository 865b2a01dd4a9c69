// What can only be said of the file as a whole: references, families, collisions, sizes.
#pragma once

#include <vector>

#include "config/diagnostics.h"
#include "config/site.h"

namespace l4ward::config {

// Addresses × ports of all services without a mark: each is one IPVS service.
inline constexpr std::size_t kMaxEndpoints = 65536;

// The pools that the service takes servers from, its backup pool too, as far as they exist.
std::vector<const Pool*> poolsOf(const Site& site, const Service& service);

// Reports into `errors`. Values that were wrong by themselves are default ones in `site` (an empty
// name, 0.0.0.0, no addresses); nothing more is said about those.
void validate(const Site& site, Diagnostics& errors);

}  // namespace l4ward::config
