// Reads nodes' status over HTTP, all at the same time.
#pragma once

#include <vector>

#include "base/clock.h"
#include "control/ctl/fleet.h"

namespace l4ward::ctl {

inline constexpr std::size_t kMaxNodes = 1000;

// One answer for each URL, in their order. Each node has `timeout` for all of it.
std::vector<NodeAnswer> fetchAll(const std::vector<NodeUrl>& urls, Millis timeout);

}  // namespace l4ward::ctl
