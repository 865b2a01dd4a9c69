#include "agent/announcer.h"

#include <utility>

#include "base/log.h"

namespace l4ward::agent {
void Announcer::afresh() {
  afresh_ = true;
  decided_.clear();
}

void Announcer::setPolicy(std::optional<config::Bgp> policy,
                          std::map<Prefix, VipServices> services) {
  policy_ = std::move(policy);
  services_ = std::move(services);
  afresh();
  if (!policy_ && relayKnown_) {
    withdrawEverything([](const auto&) { return "bgp is no longer in the site file"; });
  }
}

bool Announcer::relayConnected(const bgp::RouteSet& standing) {
  if (relayKnown_) return false;
  relayKnown_ = true;
  current_ = standing;
  for (const auto& [key, attributes] : standing) {
    auto& neighbors = standing_[key.prefix].neighbors;
    if (neighbors.empty()) log::info("vip.found", {{"vip", key.prefix.shortStr()}});
    neighbors.insert(key.neighbor);
    changed_.insert(key.prefix);
  }
  if (stopped_) withdrawAll();
  return true;
}

void Announcer::synced(std::uint64_t generation) {
  synced_ = generation;
  std::erase_if(withdrawnAt_, [&](const auto& entry) { return entry.second <= synced_; });
}

void Announcer::worsen(const std::map<Prefix, Decision>& decisions, const Because& because) {
  auto worse = decisions;
  for (auto& [vip, decision] : worse) {
    if (decision == Decision::announce) decision = Decision::keep;
    if (decision == Decision::depreference && !isAnnounced(vip)) decision = Decision::keep;
  }
  update(worse, because);
}

void Announcer::update(const std::map<Prefix, Decision>& decisions, const Because& because) {
  if (!policy_ || !relayKnown_ || stopped_) return;
  const auto fresh = newOf(decisions);
  const bool due = std::exchange(afresh_, false);
  if (fresh.empty() && !due) return;
  const auto routes = wantedRoutes(fresh, *policy_, services_, current_, leaving_);
  std::vector<Change> changes;
  for (const auto& [vip, decision] : fresh) {
    Change change{vip, standing(vip), {}};
    const bool changed = replace(vip, routes);
    if (const auto known = standing_.find(vip); known != standing_.end()) {
      known->second.as = standingAfter(vip, decision, change.was);
      change.is = known->second.as;
    }
    if (changed) changes.push_back(change);
    if (decision != Decision::keep) decided_[vip] = decision;
  }
  if (due || !changes.empty()) publish(changes, because);
}

// The decisions that were not the last ones; those without one are to be withdrawn.
std::map<Prefix, Decision> Announcer::newOf(const std::map<Prefix, Decision>& decisions) const {
  std::map<Prefix, Decision> fresh;
  auto standing = standing_.begin();
  auto decided = decided_.begin();
  for (const auto& [vip, decision] : decisions) {
    for (; standing != standing_.end() && standing->first <= vip; ++standing) {
      if (standing->first < vip) fresh[standing->first] = Decision::withdraw;
    }
    while (decided != decided_.end() && decided->first < vip) ++decided;
    const bool known = decided != decided_.end() && decided->first == vip;
    if (afresh_ || (decision != Decision::keep && !(known && decided->second == decision))) {
      fresh[vip] = decision;
    }
  }
  for (; standing != standing_.end(); ++standing) fresh[standing->first] = Decision::withdraw;
  return fresh;
}

// Gives the VIP those of `routes` that are to it, and no other. Whether that changes anything.
bool Announcer::replace(const Prefix& vip, const bgp::RouteSet& routes) {
  bool changed = false;
  auto& neighbors = standing_[vip].neighbors;
  std::erase_if(neighbors, [&](const IpAddress& neighbor) {
    if (routes.contains({neighbor, vip})) return false;
    current_.erase({neighbor, vip});
    return changed = true;
  });
  for (const auto& neighbor : policy_->neighbors) {
    const auto wanted = routes.find({neighbor.address, vip});
    if (wanted == routes.end()) continue;
    auto& route = current_[wanted->first];
    if (!neighbors.insert(neighbor.address).second && route == wanted->second) continue;
    route = wanted->second;
    changed = true;
  }
  if (neighbors.empty()) standing_.erase(vip);
  return changed;
}

// As wantedRoutes() has it.
Standing Announcer::standingAfter(const Prefix& vip, Decision decision,
                                  std::optional<Standing> was) const {
  const bool isKept = decision == Decision::keep;
  const bool isLast = isKept ? was == Standing::lastResort : decision != Decision::announce;
  if (isLast) return Standing::lastResort;
  if (leaving_.node || leaving_.vips.contains(vip)) return Standing::draining;
  return isKept ? was.value_or(Standing::normal) : Standing::normal;
}

void Announcer::setDraining() {
  leaving_.node = true;
  afresh();
}

void Announcer::setDrained(std::set<Prefix> vips) {
  if (vips == leaving_.vips) return;
  leaving_.vips = std::move(vips);
  afresh();
}

std::optional<Standing> Announcer::standing(const Prefix& vip) const {
  const auto found = standing_.find(vip);
  return found == standing_.end() ? std::nullopt : std::optional(found->second.as);
}

void Announcer::withdrawAll() {
  stopped_ = true;
  if (relayKnown_) withdrawEverything([](const auto&) { return "the agent stops"; });
}

void Announcer::withdrawEverything(const Because& because) {
  std::vector<Change> changes;
  for (const auto& [vip, known] : standing_) changes.push_back({vip, known.as, {}});
  current_.clear();
  standing_.clear();
  publish(changes, because);
}

void Announcer::publish(const std::vector<Change>& changes, const Because& because) {
  generation_ = publish_(current_);
  for (const auto& change : changes) {
    const auto& vip = change.vip;
    changed_.insert(vip);
    if (change.is) withdrawnAt_.erase(vip);
    if (change.was && !change.is) withdrawnAt_[vip] = generation_;
    tell(change, leaving_.node ? "the agent stops" : because(vip));
  }
}

void Announcer::tell(const Change& change, const std::string& because) {
  const log::Fields fields{{"vip", change.vip.shortStr()}, {"because", because}};
  if (change.was && !change.is) log::warning("vip.withdrawn", fields);
  if (change.is && !change.was) log::info("vip.announced", fields);
  if (!change.is || change.is == change.was) return;
  if (change.is == Standing::lastResort) log::warning("vip.last_resort", fields);
  if (change.is == Standing::draining) log::warning("vip.draining", fields);
  if (change.is == Standing::normal && change.was) log::info("vip.preferred", fields);
}

bool Announcer::isWithdrawn(const Prefix& vip) const {
  if (!relayKnown_) return !policy_;
  return !isAnnounced(vip) && !withdrawnAt_.contains(vip);
}

}  // namespace l4ward::agent
