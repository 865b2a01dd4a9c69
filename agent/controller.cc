#include "agent/controller.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "agent/outcome_log.h"
#include "base/log.h"

namespace l4ward::agent {

using healthcheck::Health;

namespace {

using NoVips = std::set<Prefix>;  // of services that are for probes only

}  // namespace

Controller::Controller(Environment environment)
    : environment_(std::move(environment)),
      programmer_(environment_.kernel, environment_.memory, environment_.observe),
      globals_(environment_.globals, environment_.memory, environment_.observe),
      announcer_(environment_.publish),
      vips_(environment_.interfaces, environment_.memory, environment_.observe) {}

Status Controller::start(config::Site site, TimePoint now) {
  if (const auto dumped = programmer_.dump(); !dumped) return dumped;
  configure(std::move(site), now);
  return {};
}

void Controller::reload(config::Site site, TimePoint now) {
  configure(std::move(site), now);
}

void Controller::configure(config::Site site, TimePoint now) {
  site_ = std::make_shared<const config::Site>(std::move(site));
  setModel(compile(*site_));
  health_.setChecks(model_->checks, now, assumedHealth());
  for (const auto& vip : model_->vips) changedAt_.try_emplace(vip, now);
  wanted_ = model_->probeServices;
  own();
  retireDropped(now);
  configureBgp(now);
  jobsDue_ = true;
}

void Controller::configureBgp(TimePoint now) {
  announcer_.setPolicy(site_->bgp, vipServicesOf(*site_));
  const auto bgp = site_->bgp.value_or(config::Bgp{});
  gate_.configure(bgp.minHold, bgp.damping);
  std::set<IpAddress> neighbors;
  for (const auto& neighbor : bgp.neighbors) neighbors.insert(neighbor.address);
  sessions_.setNeighbors(neighbors, now);
}

// Nodes that start together, say after a power cut, are not to announce all at once.
void Controller::onRelayConnected(const bgp::RouteSet& standing, TimePoint now) {
  const bool isFirst = announcer_.relayConnected(standing);
  if (!isFirst || !standing.empty() || !site_->bgp) return;
  const std::chrono::duration<double, std::milli> delay(
      static_cast<double>(site_->bgp->announceDelay.count()) * (1 + environment_.jitter));
  gate_.closeUntil(now + std::chrono::duration_cast<Millis>(delay));
}

// Probes through a tunnel wait for the service that takes them there: without it they would leave
// this node as they are, and their failure would be a verdict. The prober is told only what is new
// to it: while it listens, probes are late. One that observes has no such service, ever.
void Controller::startJobs() {
  if (!std::exchange(jobsDue_, false)) return;
  const auto before = std::exchange(probed_, nullptr);
  const auto isKnown = [&before](CheckId id, const healthcheck::Job& job) {
    if (!before) return false;
    const auto found = before->checks.find(id);
    return found != before->checks.end() && found->second.job == job;
  };
  std::vector<healthcheck::Job> jobs;
  std::vector<CheckId> fresh;
  for (const auto& [id, check] : model_->checks) {
    if (!isKnown(id, check.job)) fresh.push_back(id);
    const auto& path = check.job.probe.dataPath;
    const auto family = path ? path->vip.address.family() : Family::v4;
    if (!path || programmer_.exists(ipvs::ServiceKey::ofMark(path->mark, family))) {
      jobs.push_back(check.job);
    } else {
      jobsDue_ = !environment_.observe;
    }
  }
  if (!jobsDue_) probed_ = model_;
  if (before && fresh.empty() && jobs.size() == before->checks.size()) return;
  environment_.setJobs(std::move(jobs));
  for (const auto id : fresh) environment_.setPace(id, paceOf(health_.find(id)->state));
}

// A server that the kernel has in use is taken as up, one at weight 0 as down: that is what the
// agent before us, or the site file before this one, knew. In one pass over all servers.
std::map<CheckId, Health> Controller::assumedHealth() const {
  std::map<CheckId, Health> assumed;
  for (const auto& [key, service] : model_->services) {
    const auto actual = programmer_.actual().find(key);
    if (actual == programmer_.actual().end()) continue;
    for (const auto& destination : actual->second.destinations) {
      const auto* backend = service.find(destination.address);
      if (!backend || backend->override) continue;  // at weight 0, whatever was known of it
      for (const auto id : backend->checks) {
        auto& health = assumed.try_emplace(id, Health::down).first->second;
        if (destination.weight > 0) health = Health::up;
      }
    }
  }
  return assumed;
}

// What the site file names is ours from now on, also if it was there before us.
void Controller::own() {
  if (environment_.observe) return;
  auto& owned = environment_.memory.value.owned;
  for (const auto& [key, service] : model_->services) {
    const auto [entry, fresh] = owned.insert_or_assign(key, service.vips);
    if (fresh && programmer_.exists(key)) log::info("ipvs.adopted", {{"service", key.str()}});
  }
  for (const auto& [key, service] : model_->probeServices) owned.insert_or_assign(key, NoVips{});
}

// Whether the site file has none of them any more.
bool Controller::isDropped(const std::set<Prefix>& vips) const {
  return std::none_of(vips.begin(), vips.end(),
                      [this](const auto& vip) { return model_->vips.contains(vip); });
}

void Controller::retireDropped(TimePoint now) {
  // A relay that lost its agent withdraws after `hold`; that long, and a little, must be waited
  // when nobody can say what stands.
  const auto patience = (site_->bgp ? site_->bgp->hold : Millis(0)) + Millis(5000);
  std::erase_if(retiring_, [&](const auto& entry) { return !isDropped(entry.second.vips); });
  for (const auto& [key, vips] : environment_.memory.value.owned) {
    if (vips.empty() || !isDropped(vips) || !programmer_.exists(key)) continue;
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

void Controller::setOverrides(control::Overrides overrides) {
  overrides_ = std::make_shared<const control::Overrides>(std::move(overrides));
  setModel(*model_);
}

// Whoever looks at the old one keeps it.
void Controller::setModel(Model model) {
  markServers(model, *overrides_);
  model_ = std::make_shared<const Model>(std::move(model));
  decisions_.setModel(*model_, programmer_.actual());
  decisions_.setOverrides(overrides_);
}

bool Controller::onOutcome(const healthcheck::Outcome& outcome) {
  const auto update = health_.feed(outcome);
  if (!update) return false;
  if (update->paceBefore != update->pace) environment_.setPace(outcome.target, update->pace);
  logOutcome(model_->checks.at(outcome.target), outcome, *update);
  const bool isNews = update->changed || update->verdict || update->weightChanged;
  if (isNews) decisions_.touch(outcome.target);
  return isNews;
}

ipvs::WantedTable Controller::wanted(TimePoint now) {
  const auto gone = [this](const auto& vip) { return announcer_.isWithdrawn(vip); };
  for (auto& [key, retiring] : retiring_) {
    if (retiring.withdrawn || !std::ranges::all_of(retiring.vips, gone)) continue;
    retiring.withdrawn = true;
    retiring.until = now + site_->shutdown.drain;
  }
  std::erase_if(retiring_, [&](const auto& entry) { return now >= entry.second.until; });
  auto table = wanted_;
  for (const auto& [key, retiring] : retiring_) table.emplace(key, retiring.service);
  return table;
}

// Services that get no traffic, because no router has a route to their VIPs. Without BGP others
// route, and nothing is known.
std::set<ipvs::ServiceKey> Controller::idle() const {
  std::set<ipvs::ServiceKey> idle;
  if (!site_->bgp) return idle;
  std::set<Prefix> withdrawn;
  for (const auto& vip : model_->vips) {
    if (announcer_.isWithdrawn(vip)) withdrawn.insert(vip);
  }
  if (withdrawn.empty()) return idle;
  for (const auto& [key, service] : model_->services) {
    if (std::ranges::includes(withdrawn, service.vips)) idle.insert(key);
  }
  return idle;
}

// What is to become of each VIP, as far as the gate lets it through; which of them are drained, the
// announcer is told.
std::map<Prefix, Decision> Controller::decide(TimePoint now) {
  const auto isAnnounced = [this](const Prefix& vip) { return announcer_.isAnnounced(vip); };
  auto verdict = decisions_.decide(programmer_, vips_, site_->announceWhen);
  announcer_.setDrained(std::move(verdict.drained));
  return gate_.pass(std::move(verdict.vips), isAnnounced, now);
}

// Why a VIP's routes are as they are, for the log.
std::string Controller::explain(const Prefix& vip) const {
  const bool isKnown = model_->vips.contains(vip);
  if (isKnown && !vips_.isPresent(vip)) return "not on interface " + site_->interface;
  return decisions_.explain(vip, health_, programmer_);
}

void Controller::resync() {
  programmer_.resync();
  vips_.resync();
  globals_.resync();
}

// Services of marks that are l4ward's own, and that no probe uses any more.
std::set<ipvs::ServiceKey> Controller::unusedProbeServices() const {
  std::set<ipvs::ServiceKey> unused;
  for (const auto& [key, vips] : environment_.memory.value.owned) {
    if (vips.empty() && !model_->probeServices.contains(key)) unused.insert(key);
  }
  if (model_->probeServices.empty()) return unused;
  for (const auto& [key, service] : programmer_.actual()) {
    const bool ours = key.isMark() && key.mark >= site_->dataPath.firstMark &&
                      key.mark <= site_->dataPath.lastMark;
    if (ours && !model_->probeServices.contains(key)) unused.insert(key);
  }
  return unused;
}

// A node that has lost its network sees every server fail. Then it withdraws, as the quorum says,
// but leaves IPVS as it was: flows that still reach it have somewhere to go.
void Controller::judgeNode() {
  const bool suspect = site_->suspectNode && health_.allFellTogether(model_->checks);
  if (suspect == suspect_) return;
  suspect_ = suspect;
  decisions_.touchAll();
  if (suspect) {
    log::error("node.suspect", {{"reason", "every check failed at once"},
                                {"effect", "VIPs are withdrawn, IPVS is left as it was"}});
  } else {
    log::info("node.trusted", {{"reason", "a check passed again"}});
  }
}

// In two steps where a backup pool takes over.
void Controller::reconcile(TimePoint now) {
  bool isDone = false;
  for (int step = 0; step < 2 && !isDone; ++step) {
    const auto uses = decisions_.takeUses(programmer_.actual());
    isDone = uses.isDone;
    for (const auto& [key, use] : uses.services) {
      wanted_[key] = wantedService(model_->services.at(key), health_, use, now, !suspect_);
    }
    programmer_.reconcile({wanted(now), idle(), unusedProbeServices()}, now,
                          {site_->drainLimit, site_->ipvs.driftPeriod});
  }
}

TimePoint Controller::turn(TimePoint now) {
  judgeNode();
  decisions_.judge(health_, !suspect_, now, site_->announceDeadline);
  const auto because = [this](const Prefix& vip) { return explain(vip); };
  // First, since no VIP counts that is not known to be there.
  const auto addressesDue =
      vips_.ensure(site_->interface, model_->vips, now, site_->ipvs.driftPeriod);
  // Before the kernel is touched: what must be withdrawn is withdrawn first, and only that.
  announcer_.worsen(decide(now), because);
  reconcile(now);
  startJobs();
  // After it: what has become able to serve is announced last.
  decided_ = decide(now);
  announcer_.update(decided_, because);
  noteChanges(now);
  sessions_.judge(announcer_.announcesAny(), now);
  vips_.releaseOthers(site_->interface, heldAddresses());
  const auto globalsDue =
      globals_.reconcile(wantedGlobals(site_->ipvs), now, site_->ipvs.driftPeriod);
  if (environment_.observe) observe(now);
  return std::min({nextDeadline(now), addressesDue, globalsDue});
}

// Before the servers have their verdicts, nothing that differs would mean anything.
void Controller::observe(TimePoint now) {
  if (!hasVerdicts()) return;
  std::vector<SysctlChange> sysctls;
  if (environment_.compareSysctls) sysctls = environment_.compareSysctls(*site_);
  const auto all = wanted(now);
  observer_.note(differencesOf({*model_, all, programmer_.actual(), programmer_.pending(),
                                globals_.pending(), site_->interface, vips_.present(), sysctls}),
                 now);
}

// An address stays while anything of ours still works for it.
std::set<Prefix> Controller::heldAddresses() const {
  auto held = model_->vips;
  for (const auto& [key, vips] : environment_.memory.value.owned) {
    if (programmer_.exists(key) || retiring_.contains(key)) held.insert(vips.begin(), vips.end());
  }
  return held;
}

TimePoint Controller::nextDeadline(TimePoint now) const {
  auto due = std::min(programmer_.nextDue(), decisions_.nextDue());
  due = std::min(due, gate_.nextDue().value_or(due));
  due = std::min(due, sessions_.nextDue().value_or(due));
  for (const auto& [key, retiring] : retiring_) due = std::min(due, retiring.until);
  return std::max(due, now + Millis(1));
}

// For people to see.
void Controller::noteChanges(TimePoint now) {
  for (const auto& vip : announcer_.takeChanged()) changedAt_[vip] = now;
  std::erase_if(changedAt_, [this](const auto& entry) {
    return !model_->vips.contains(entry.first) && !announcer_.isAnnounced(entry.first);
  });
  const auto drift = programmer_.driftFound();
  if (std::exchange(driftSeen_, drift) != drift) driftAt_ = now;
}

Snapshot Controller::snapshot(TimePoint now) const {
  Snapshot out;
  out.at = now;
  out.site = site_;
  out.model = model_;
  out.health = health_;
  out.actual = programmer_.actual();
  out.memory = environment_.memory.value;
  for (const auto& [key, service] : out.actual) {
    if (programmer_.isProgrammed(key)) out.programmed.insert(out.programmed.end(), key);
  }
  out.services = decisions_.all();
  out.overrides = overrides_;
  out.decisions = decided_;
  out.standing = announcer_.vips();
  out.changedAt = changedAt_;
  out.held = gate_.held(now);
  out.onInterface = vips_.present();
  out.sessions = sessions_.all();
  out.ready = isReady();
  out.observing = environment_.observe;
  out.pending = programmer_.pending();
  out.differences = observer_.all();
  out.suspect = suspect_;
  out.unheard = sessions_.isUnheard();
  out.synced = announcer_.isSynced();
  out.updates = announcer_.generation();
  out.drift = programmer_.driftFound();
  out.driftAt = driftAt_;
  return out;
}

bool Controller::isReady() const {
  return !environment_.observe && decisions_.isComplete() &&
         std::ranges::all_of(model_->services, [this](const auto& entry) {
           return programmer_.isProgrammed(entry.first);
         });
}

}  // namespace l4ward::agent
