#include "config/validate_bgp.h"

#include <algorithm>

#include "config/routing.h"

namespace l4ward::config {
namespace {

std::string neighborPath(std::size_t index, const std::string& key) {
  return joinPath("bgp.neighbors[" + std::to_string(index) + "]", key);
}

void checkServices(const Site& site, Diagnostics& errors) {
  for (std::size_t i = 0; i < site.bgp->neighbors.size(); ++i) {
    const auto path = neighborPath(i, "services");
    for (const auto& name : site.bgp->neighbors[i].services.value_or(std::set<std::string>())) {
      if (site.services.contains(name)) continue;
      errors.add(errors.placeOf(joinPath(path, name)), path, inQuotes(name),
                 "the name of a service" + errors.guess(name, site.services));
    }
  }
}

std::size_t communitiesOf(const RouteAttributes& routes) {
  std::size_t count = 0;
  for (const auto& kind : communityKinds()) count += (routes.*kind.list).size();
  return count;
}

// The most communities that a route of any service has when this neighbor hears of it. They add up,
// and a route is of last resort or draining.
struct Most {
  std::size_t count = 0;
  std::string service;
};

Most mostOf(const Site& site, const Neighbor& neighbor) {
  const auto& bgp = *site.bgp;
  const auto common = communitiesOf(bgp.routes) + communitiesOf(neighbor.routes) +
                      std::max(communitiesOf(bgp.depreference), communitiesOf(bgp.draining));
  Most most;
  for (const auto& [name, service] : site.services) {
    if (neighbor.services && !neighbor.services->contains(name)) continue;
    const auto count = common + communitiesOf(service.routes);
    if (count > most.count) most = {count, name};
  }
  return most;
}

void checkCommunities(const Site& site, Diagnostics& errors) {
  for (std::size_t i = 0; i < site.bgp->neighbors.size(); ++i) {
    const auto most = mostOf(site, site.bgp->neighbors[i]);
    if (most.count <= kMaxCommunities) continue;
    errors.addAt(neighborPath(i, "communities"),
                 std::to_string(most.count) + " with those of `bgp`, of service " +
                     inQuotes(most.service) + " and of `depreference` or `draining`",
                 "at most " + std::to_string(kMaxCommunities) + " of all kinds together");
  }
}

void checkHold(const Site& site, Diagnostics& errors) {
  if (site.shutdown.onStop != OnStop::hold || site.bgp->hold > Millis::zero()) return;
  errors.addAt("shutdown.on_stop", "'hold' with a `bgp.hold` of 0s",
               "withdraw, or a `bgp.hold` for which routes outlive the agent");
}

}  // namespace

void validateBgp(const Site& site, Diagnostics& errors) {
  if (!site.bgp) return;
  checkServices(site, errors);
  checkCommunities(site, errors);
  checkHold(site, errors);
}

}  // namespace l4ward::config
