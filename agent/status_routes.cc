// Virtual IPs and neighbors.
#include <algorithm>

#include "agent/status_parts.h"

namespace l4ward::agent {
namespace {

using Items = std::vector<const Decisions::Item*>;

std::string stateOf(const Snapshot& snapshot, const Prefix& vip) {
  const auto standing = snapshot.standing.find(vip);
  if (standing != snapshot.standing.end()) {
    switch (standing->second.as) {
      case Standing::normal:
        return "announced";
      case Standing::lastResort:
        return "last-resort";
      case Standing::draining:
        return "draining";
    }
  }
  const auto decision = snapshot.decisions.find(vip);
  const bool withdrawn = decision == snapshot.decisions.end()
                             ? !snapshot.decisions.empty()
                             : decision->second == Decision::withdraw;
  return withdrawn ? "withdrawn" : "not-announced";
}

std::string becauseOf(const Snapshot& snapshot, const Prefix& vip, const Items& items) {
  if (!snapshot.model->vips.contains(vip)) return "no longer in the site file";
  if (!snapshot.observing && !snapshot.onInterface.contains(vip))
    return "not on interface " + snapshot.site->interface;
  const auto exists = [&](const ipvs::ServiceKey& key) { return snapshot.actual.contains(key); };
  const auto* override = Decisions::ofVip(*snapshot.overrides, vip);
  return Decisions::explain({items, override}, snapshot.health, exists);
}

control::Vip vipOf(const Snapshot& snapshot, const WallClock& clock, const Prefix& vip,
                   const Items& items) {
  control::Vip out;
  out.prefix = vip.str();
  out.state = stateOf(snapshot, vip);
  out.because = becauseOf(snapshot, vip, items);
  out.onInterface = snapshot.onInterface.contains(vip);
  if (const auto found = snapshot.changedAt.find(vip); found != snapshot.changedAt.end()) {
    out.since = clock.of(found->second);
  }
  std::set<std::string> services;
  for (const auto* item : items) services.insert(item->second.service->service);
  out.services.assign(services.begin(), services.end());
  if (const auto found = snapshot.standing.find(vip); found != snapshot.standing.end()) {
    for (const auto& neighbor : found->second.neighbors) out.neighbors.push_back(neighbor.str());
  }
  const auto held = std::ranges::find(snapshot.held, vip, &Gate::Held::vip);
  if (held != snapshot.held.end()) out.heldUntil = clock.of(held->until);
  return out;
}

}  // namespace

std::vector<control::Vip> vipsOf(const Snapshot& snapshot, const WallClock& clock) {
  std::map<Prefix, Items> all;
  for (const auto& vip : snapshot.model->vips) all[vip];
  for (const auto& [vip, standing] : snapshot.standing) all[vip];
  for (const auto& item : snapshot.services) {
    for (const auto& vip : item.second.service->vips) all[vip].push_back(&item);
  }
  std::vector<control::Vip> vips;
  for (const auto& [vip, items] : all) vips.push_back(vipOf(snapshot, clock, vip, items));
  return vips;
}

std::vector<control::Neighbor> neighborsOf(const Snapshot& snapshot, const WallClock& clock) {
  std::map<IpAddress, std::uint64_t> routes;
  for (const auto& [vip, standing] : snapshot.standing) {
    for (const auto& neighbor : standing.neighbors) ++routes[neighbor];
  }
  std::vector<control::Neighbor> neighbors;
  if (!snapshot.site->bgp) return neighbors;
  for (const auto& neighbor : snapshot.site->bgp->neighbors) {
    control::Neighbor out;
    out.address = neighbor.address.str();
    out.peerAs = neighbor.peerAs;
    out.state = toString(Sessions::State::unknown);
    out.routes = routes[neighbor.address];
    const auto found = snapshot.sessions.find(neighbor.address);
    if (found != snapshot.sessions.end()) {
      out.state = toString(found->second.state);
      out.reason = found->second.reason;
      out.since = clock.of(found->second.since);
    }
    neighbors.push_back(std::move(out));
  }
  return neighbors;
}

}  // namespace l4ward::agent
