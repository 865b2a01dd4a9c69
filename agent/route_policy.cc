#include "agent/route_policy.h"

#include <algorithm>
#include <vector>

namespace l4ward::agent {
namespace {

using config::RouteAttributes;

template <typename T>
void put(std::optional<T>& scalar, const std::optional<T>& over) {
  if (over) scalar = over;
}

void put(std::vector<std::string>& list, const std::vector<std::string>& more) {
  for (const auto& item : more) {
    if (std::ranges::find(list, item) == list.end()) list.push_back(item);
  }
}

void put(RouteAttributes& attributes, const RouteAttributes& over) {
  put(attributes.med, over.med);
  put(attributes.localPreference, over.localPreference);
  put(attributes.prepend, over.prepend);
  put(attributes.communities, over.communities);
  put(attributes.largeCommunities, over.largeCommunities);
  put(attributes.extendedCommunities, over.extendedCommunities);
}

bool wants(const config::Neighbor& neighbor, const std::set<std::string>& services) {
  return !neighbor.services || std::ranges::any_of(services, [&](const std::string& name) {
    return neighbor.services->contains(name);
  });
}

// How the routes are to stand; nothing: there are to be none.
std::optional<Standing> standingOf(Decision decision, bool draining) {
  switch (decision) {
    case Decision::announce:
      return draining ? Standing::draining : Standing::normal;
    case Decision::depreference:
    case Decision::demote:
      return Standing::lastResort;  // also while draining: it is what neighbors like least
    case Decision::keep:
    case Decision::withdraw:
      break;
  }
  return std::nullopt;
}

}  // namespace

bgp::Attributes attributesOf(const config::Bgp& policy, const config::Neighbor& neighbor,
                             const config::RouteAttributes& service, Standing standing) {
  auto wanted = policy.routes;
  put(wanted, neighbor.routes);
  put(wanted, service);
  if (standing == Standing::lastResort) put(wanted, policy.depreference);
  if (standing == Standing::draining) put(wanted, policy.draining);
  const bool internal = neighbor.peerAs == policy.localAs;
  bgp::Attributes out;
  out.nextHop = neighbor.nextHop;
  out.med = wanted.med;
  if (internal) out.localPreference = wanted.localPreference;
  // A path that is given takes the place of the one that ExaBGP would make, the own AS once.
  const auto prepend = wanted.prepend.value_or(0);
  if (!internal && prepend > 0) out.asPath.assign(prepend + 1, policy.localAs);
  out.communities = std::move(wanted.communities);
  out.largeCommunities = std::move(wanted.largeCommunities);
  out.extendedCommunities = std::move(wanted.extendedCommunities);
  return out;
}

std::map<Prefix, VipServices> vipServicesOf(const config::Site& site) {
  std::map<Prefix, VipServices> out;
  for (const auto& [name, service] : site.services) {
    for (const auto& vip : service.vips) {
      auto& entry = out[vip];
      entry.names.insert(name);
      entry.routes = service.routes;
    }
  }
  return out;
}

bgp::RouteSet wantedRoutes(const std::map<Prefix, Decision>& decisions, const config::Bgp& policy,
                           const std::map<Prefix, VipServices>& services,
                           const bgp::RouteSet& current, const Leaving& leaving) {
  static const VipServices kNone;
  bgp::RouteSet routes;
  for (const auto& [vip, decision] : decisions) {
    if (decision == Decision::withdraw) continue;
    const bool draining = leaving.node || leaving.vips.contains(vip);
    const auto found = services.find(vip);
    const auto& of = found == services.end() ? kNone : found->second;
    for (const auto& neighbor : policy.neighbors) {
      if (neighbor.address.family() != vip.address.family() || !wants(neighbor, of.names)) continue;
      const bgp::RouteKey key{neighbor.address, vip};
      const auto known = current.find(key);
      const bool stands = known != current.end();
      if (!stands && (leaving.node || decision == Decision::keep || decision == Decision::demote)) {
        continue;
      }
      const auto attributes = [&](Standing standing) {
        return attributesOf(policy, neighbor, of.routes, standing);
      };
      if (const auto standing = standingOf(decision, draining)) {
        routes[key] = attributes(*standing);
      } else if (draining && known->second != attributes(Standing::lastResort)) {
        routes[key] = attributes(Standing::draining);
      } else {
        routes.insert(*known);
      }
    }
  }
  return routes;
}

}  // namespace l4ward::agent
