#include "agent/announcer.h"

#include <set>

#include "base/log.h"

namespace l4ward::agent {
namespace {

std::set<Prefix> vipsOf(const bgp::RouteSet& routes) {
  std::set<Prefix> vips;
  for (const auto& [key, attributes] : routes) vips.insert(key.prefix);
  return vips;
}

}  // namespace

bgp::RouteSet wantedRoutes(const std::map<Prefix, Decision>& decisions, const config::Bgp& policy,
                           const bgp::RouteSet& current) {
  bgp::RouteSet routes;
  for (const auto& [vip, decision] : decisions) {
    for (const auto& neighbor : policy.neighbors) {
      if (neighbor.address.family() != vip.address.family()) continue;
      const bgp::RouteKey key{neighbor.address, vip};
      if (decision == Decision::announce) {
        routes[key] = {neighbor.localAddress, policy.med, policy.communities};
      } else if (const auto known = current.find(key);
                 decision == Decision::keep && known != current.end()) {
        routes.insert(*known);
      }
    }
  }
  return routes;
}

void Announcer::setPolicy(std::optional<config::Bgp> policy) {
  policy_ = std::move(policy);
  if (!policy_ && relayKnown_)
    publish({}, [](const auto&) { return "bgp is no longer in the site file"; });
}

void Announcer::relayConnected(const bgp::RouteSet& standing) {
  if (relayKnown_) return;
  relayKnown_ = true;
  current_ = standing;
  for (const auto& vip : vipsOf(standing)) log::info("vip.found", {{"vip", vip.shortStr()}});
  if (stopped_) withdrawAll();
}

void Announcer::synced(std::uint64_t generation) {
  synced_ = generation;
  std::erase_if(withdrawnAt_, [&](const auto& entry) { return entry.second <= synced_; });
}

void Announcer::update(const std::map<Prefix, Decision>& decisions, const Because& because) {
  if (!policy_ || !relayKnown_ || stopped_) return;
  publish(wantedRoutes(decisions, *policy_, current_), because);
}

void Announcer::withdrawAll() {
  stopped_ = true;
  if (relayKnown_) publish({}, [](const auto&) { return "the agent stops"; });
}

void Announcer::publish(bgp::RouteSet routes, const Because& because) {
  generation_ = publish_(routes);
  const auto before = vipsOf(current_);
  const auto after = vipsOf(routes);
  for (const auto& vip : after) {
    withdrawnAt_.erase(vip);
    if (before.contains(vip)) continue;
    log::info("vip.announced", {{"vip", vip.shortStr()}, {"because", because(vip)}});
  }
  for (const auto& vip : before) {
    if (after.contains(vip)) continue;
    withdrawnAt_[vip] = generation_;
    log::warning("vip.withdrawn", {{"vip", vip.shortStr()}, {"because", because(vip)}});
  }
  current_ = std::move(routes);
}

bool Announcer::isAnnounced(const Prefix& vip) const {
  return vipsOf(current_).contains(vip);
}

bool Announcer::isWithdrawn(const Prefix& vip) const {
  if (!relayKnown_) return !policy_;
  return !isAnnounced(vip) && !withdrawnAt_.contains(vip);
}

}  // namespace l4ward::agent
