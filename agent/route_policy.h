// Which neighbor is told of a virtual IP, and with which attributes. Pure.
#pragma once

#include <map>
#include <set>
#include <string>

#include "agent/availability.h"
#include "bgp/route.h"
#include "config/site.h"

namespace l4ward::agent {

enum class Standing { normal, lastResort, draining };

// The attributes of all, of the neighbor and of the service, and over them those that `standing`
// asks for. Local preference goes to neighbors of the own AS only, a longer AS path to the others.
bgp::Attributes attributesOf(const config::Bgp& policy, const config::Neighbor& neighbor,
                             const config::RouteAttributes& service, Standing standing);

// The services of a virtual IP, by name, and what they say about its routes (the same, all of them:
// validate_vips.h).
struct VipServices {
  std::set<std::string> names;
  config::RouteAttributes routes;
};

std::map<Prefix, VipServices> vipServicesOf(const config::Site& site);

// What is announced as of a node that is about to stop.
struct Leaving {
  bool node = false;      // it is: all, and nothing is announced any more that is not already
  std::set<Prefix> vips;  // these, since people say so
  bool operator==(const Leaving&) const = default;
};

// The routes for `decisions`. An IPv4 VIP goes to IPv4 neighbors, IPv6 to IPv6, and to those only
// that want one of its services. `keep` is what `current` has, `demote` the same as a last resort.
// Last resorts stay what they are while `leaving`.
bgp::RouteSet wantedRoutes(const std::map<Prefix, Decision>& decisions, const config::Bgp& policy,
                           const std::map<Prefix, VipServices>& services,
                           const bgp::RouteSet& current, const Leaving& leaving);

}  // namespace l4ward::agent
