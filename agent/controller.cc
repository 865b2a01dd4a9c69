#include "agent/controller.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"

namespace l4ward::agent {

using healthcheck::Health;

Controller::Controller(Environment environment)
    : environment_(std::move(environment)),
      programmer_(environment_.kernel, environment_.memory),
      globals_(environment_.globals, environment_.memory),
      announcer_(environment_.publish),
      vips_(environment_.interfaces, environment_.memory) {}

Status Controller::start(config::Site site, TimePoint now) {
  if (const auto dumped = programmer_.dump(); !dumped) return dumped;
  configure(std::move(site), now);
  return {};
}

void Controller::reload(config::Site site, TimePoint now) {
  configure(std::move(site), now);
}

void Controller::configure(config::Site site, TimePoint now) {
  site_ = std::move(site);
  model_ = compile(site_);
  health_.setChecks(model_.checks, now, assumedHealth());
  own();
  retireDropped(now);
  announcer_.setPolicy(site_.bgp);

  std::vector<healthcheck::Job> jobs;
  for (const auto& [id, check] : model_.checks) jobs.push_back(check.job);
  environment_.setJobs(std::move(jobs));
  for (const auto& [id, check] : model_.checks) {
    const auto* entry = health_.find(id);
    environment_.setPending(id, entry->state.pending() || !entry->state.verified);
  }
}

// A server that the kernel has in use is taken as up, one at weight 0 as down: that is what the
// agent before us, or the site file before this one, knew. In one pass over all servers.
std::map<CheckId, Health> Controller::assumedHealth() const {
  std::map<CheckId, Health> assumed;
  for (const auto& [key, service] : model_.services) {
    const auto actual = programmer_.actual().find(key);
    if (actual == programmer_.actual().end()) continue;
    for (const auto& destination : actual->second.destinations) {
      const auto backend = service.backends.find(destination.address);
      if (backend == service.backends.end() || !backend->second.check) continue;
      auto& health = assumed.try_emplace(*backend->second.check, Health::down).first->second;
      if (destination.weight > 0) health = Health::up;
    }
  }
  return assumed;
}

// What the site file names is ours from now on, also if it was there before us.
void Controller::own() {
  auto& owned = environment_.memory.value.owned;
  for (const auto& [key, service] : model_.services) {
    const auto [entry, fresh] = owned.insert_or_assign(key, service.vips);
    if (fresh && programmer_.exists(key)) log::info("ipvs.adopted", {{"service", key.str()}});
  }
}

// Whether the site file has none of them any more.
bool Controller::isDropped(const std::set<Prefix>& vips) const {
  return std::none_of(vips.begin(), vips.end(),
                      [this](const auto& vip) { return model_.vips.contains(vip); });
}

void Controller::retireDropped(TimePoint now) {
  // A relay that lost its agent withdraws after `hold`; that long, and a little, must be waited
  // when nobody can say what stands.
  const auto patience = (site_.bgp ? site_.bgp->hold : Millis(0)) + Millis(5000);
  std::erase_if(retiring_, [&](const auto& entry) { return !isDropped(entry.second.vips); });
  for (const auto& [key, vips] : environment_.memory.value.owned) {
    if (!isDropped(vips) || !programmer_.exists(key)) continue;
    retiring_.try_emplace(key, Retiring{asHeld(key), vips, now + patience, false});
  }
}

// What the kernel holds, as something to be wanted.
ipvs::WantedService Controller::asHeld(const ipvs::ServiceKey& key) const {
  const auto& actual = programmer_.actual().at(key);
  const auto& lastWeights = environment_.memory.value.lastWeights;
  ipvs::WantedService held{actual.config, {}};
  for (const auto& destination : actual.destinations) {
    held.destinations[destination.address] = {
        destination.path, ipvs::lastWeightOf(key, destination, lastWeights).value_or(1),
        destination.weight == 0, destination.thresholds};
  }
  return held;
}

bool Controller::onOutcome(const healthcheck::Outcome& outcome) {
  const auto update = health_.feed(outcome);
  if (!update) return false;
  const bool wasHurried = update->before.pending() || !update->before.verified;
  const bool isHurried = update->after.pending() || !update->after.verified;
  if (wasHurried != isHurried) environment_.setPending(outcome.target, isHurried);
  logUpdate(outcome, *update);
  return update->changed || update->verdict;
}

void Controller::logUpdate(const healthcheck::Outcome& outcome,
                           const HealthTable::Update& update) const {
  const auto& check = model_.checks.at(outcome.target);
  const log::Fields subject{{"server", check.server},
                            {"address", check.job.probe.target.str()},
                            {"check", check.name},
                            {"reason", outcome.reason}};
  if (update.localErrorChanged) {
    if (update.after.localError) {
      log::error("check.broken", subject);
    } else {
      log::info("check.works", subject);
    }
  }
  if (!update.changed && !update.verdict) return;
  switch (update.after.health) {
    case Health::up:
      return log::info("server.up", subject);
    case Health::drain:
      return log::warning("server.drain", subject);
    case Health::down:
      return log::warning("server.down", subject);
    case Health::unknown:
      return;
  }
}

ipvs::WantedTable Controller::wanted(TimePoint now) {
  auto table = wantedTable(model_, health_);
  const auto gone = [this](const auto& vip) { return announcer_.isWithdrawn(vip); };
  for (auto& [key, retiring] : retiring_) {
    if (retiring.withdrawn || !std::ranges::all_of(retiring.vips, gone)) continue;
    retiring.withdrawn = true;
    retiring.until = now + site_.shutdown.drain;
  }
  std::erase_if(retiring_, [&](const auto& entry) { return now >= entry.second.until; });
  for (const auto& [key, retiring] : retiring_) table.emplace(key, retiring.service);
  return table;
}

// Services that get no traffic, because no router has a route to their VIPs. Without BGP others
// route, and nothing is known.
std::set<ipvs::ServiceKey> Controller::idle() const {
  std::set<ipvs::ServiceKey> idle;
  if (!site_.bgp) return idle;
  std::set<Prefix> withdrawn;
  for (const auto& vip : model_.vips) {
    if (announcer_.isWithdrawn(vip)) withdrawn.insert(vip);
  }
  if (withdrawn.empty()) return idle;
  for (const auto& [key, service] : model_.services) {
    if (std::ranges::includes(withdrawn, service.vips)) idle.insert(key);
  }
  return idle;
}

std::map<Prefix, Decision> Controller::decide(TimePoint now) const {
  std::map<Prefix, std::vector<ServiceView>> views;
  for (const auto& [key, service] : model_.services) {
    auto view = viewOf(service, health_, now, site_.announceDeadline);
    view.exists = programmer_.exists(key);
    view.programmed = programmer_.isProgrammed(key);
    for (const auto& vip : service.vips) views[vip].push_back(view);
  }
  std::map<Prefix, Decision> decisions;
  for (const auto& [vip, list] : views) {
    decisions[vip] = agent::decide(vips_.isPresent(vip), list);
  }
  return decisions;
}

// Why a VIP's routes are as they are: the state of its services, for the log.
std::string Controller::explain(const Prefix& vip) const {
  constexpr std::size_t kMaxTexts = 8;  // a range may have hundreds of services that say the same
  if (!model_.vips.contains(vip)) return "no longer in the site file";
  if (!vips_.isPresent(vip)) return "not on interface " + site_.interface;
  std::set<std::string> texts;
  for (const auto& [key, service] : model_.services) {
    if (!service.vips.contains(vip) || texts.size() == kMaxTexts) continue;
    auto text = service.service + (key.vip.port ? ":" + std::to_string(key.vip.port) : "") + " " +
                describe(service, health_);
    if (!programmer_.exists(key)) text += ", not in the kernel";
    texts.insert(std::move(text));
  }
  std::string joined;
  for (const auto& text : texts) joined += (joined.empty() ? "" : "; ") + text;
  return joined;
}

void Controller::resync() {
  programmer_.resync();
  vips_.resync();
  globals_.resync();
}

TimePoint Controller::turn(TimePoint now) {
  const auto because = [this](const Prefix& vip) { return explain(vip); };
  // First, since no VIP counts that is not known to be there.
  const auto addressesDue = vips_.ensure(site_.interface, model_.vips, now, site_.ipvs.driftPeriod);
  // Before the kernel is touched: what must be withdrawn is withdrawn first, and only that.
  auto before = decide(now);
  for (auto& [vip, decision] : before) {
    if (decision == Decision::announce) decision = Decision::keep;
  }
  announcer_.update(before, because);
  programmer_.reconcile(wanted(now), idle(), now, {site_.drainLimit, site_.ipvs.driftPeriod});
  // After it: what has become able to serve is announced last.
  announcer_.update(decide(now), because);
  vips_.releaseOthers(site_.interface, heldAddresses());
  const auto globalsDue =
      globals_.reconcile(wantedGlobals(site_.ipvs), now, site_.ipvs.driftPeriod);
  return std::min({nextDeadline(now), addressesDue, globalsDue});
}

// An address stays while anything of ours still works for it.
std::set<Prefix> Controller::heldAddresses() const {
  auto held = model_.vips;
  for (const auto& [key, vips] : environment_.memory.value.owned) {
    if (programmer_.exists(key) || retiring_.contains(key)) held.insert(vips.begin(), vips.end());
  }
  return held;
}

TimePoint Controller::nextDeadline(TimePoint now) const {
  auto due = programmer_.nextDue();
  for (const auto& [key, retiring] : retiring_) due = std::min(due, retiring.until);
  for (const auto& [id, check] : model_.checks) {
    const auto* entry = health_.find(id);
    if (entry->state.verified) continue;
    const auto deadline = entry->since + site_.announceDeadline;
    if (deadline > now) due = std::min(due, deadline);
  }
  return std::max(due, now + Millis(1));
}

bool Controller::isReady(TimePoint now) const {
  return std::all_of(model_.services.begin(), model_.services.end(), [&](const auto& entry) {
    return programmer_.isProgrammed(entry.first) &&
           viewOf(entry.second, health_, now, site_.announceDeadline).complete;
  });
}

}  // namespace l4ward::agent
