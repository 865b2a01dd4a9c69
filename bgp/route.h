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
  std::optional<std::uint32_t> localPreference;  // iBGP only: nobody hears it over eBGP
  std::vector<std::uint32_t> asPath;             // whole; empty: ExaBGP's own, as the session needs
  std::vector<std::string> communities;          // "65001:80" (RFC 1997)
  std::vector<std::string> largeCommunities;     // "65001:1:2" (RFC 8092)
  std::vector<std::string> extendedCommunities;  // "target:65001:80", "origin:65001:80" (RFC 4360)
  std::strong_ordering operator<=>(const Attributes&) const = default;
};

struct RouteKey {
  IpAddress neighbor;
  Prefix prefix;
  std::strong_ordering operator<=>(const RouteKey&) const = default;
};

using RouteSet = std::map<RouteKey, Attributes>;

}  // namespace l4ward::bgp
