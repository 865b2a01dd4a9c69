// Which prefix is announced to which neighbor with which attributes.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"

namespace l4ward::bgp {

struct Attributes {
  IpAddress nextHop;
  std::optional<std::uint32_t> med;
  std::vector<std::string> communities;  // "65001:80"
  std::strong_ordering operator<=>(const Attributes&) const = default;
};

struct RouteKey {
  IpAddress neighbor;
  Prefix prefix;
  std::strong_ordering operator<=>(const RouteKey&) const = default;
};

using RouteSet = std::map<RouteKey, Attributes>;

}  // namespace l4ward::bgp
