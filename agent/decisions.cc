#include "agent/decisions.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/log.h"

namespace l4ward::agent {
namespace {

using control::Action;
using Own = ServerUse::Own;

bool says(const control::Override* override, Action action) {
  return override && override->action == action;
}

// Whether a server of the backup pool takes new connections.
bool isOnBackup(const VirtualService& service, const ipvs::ActualTable& actual,
                const ipvs::ServiceKey& key) {
  const auto held = actual.find(key);
  if (service.backups.empty() || held == actual.end()) return false;
  return std::ranges::any_of(held->second.destinations, [&](const auto& destination) {
    return destination.weight > 0 && service.backups.contains(destination.address);
  });
}

void logChange(const VirtualService& service, std::uint16_t port, const HealthTable& health,
               Own before, Own after) {
  const log::Fields fields{
      {"service", service.service},
      {"port", port},
      {"pool", upOf(service.backends, health)},
      {"backup", service.backups.empty() ? "none" : upOf(service.backups, health)}};
  if (before == Own::none) log::info("service.primary", fields);
  if (before == Own::all) log::info("service.trusted", fields);
  if (after == Own::none) log::warning("service.backup", fields);
  if (after == Own::all) log::error("service.panic", fields);
}

}  // namespace

void Decisions::setModel(const Model& model, const ipvs::ActualTable& actual) {
  const auto before = std::exchange(entries_, {});
  byVip_.clear();
  users_.clear();
  touched_.clear();
  fresh_.clear();
  allTouched_ = true;
  for (const auto& [key, service] : model.services) {
    auto& item = *entries_.try_emplace(key).first;
    auto& entry = item.second;
    if (const auto known = before.find(key); known != before.end()) {
      entry = known->second;
    } else if (isOnBackup(service, actual, key)) {
      entry.held = false;
      entry.use = {Own::none, true};
    }
    entry.service = &service;
    entry.override = ofService(service.service);
    for (const auto& vip : service.vips) byVip_[vip].items.push_back(&item);
    for (const auto* backends : {&service.backends, &service.backups}) {
      for (const auto& [endpoint, backend] : *backends) {
        for (const auto id : backend.checks) users_[id].push_back(&item);
      }
    }
  }
  for (auto& [vip, use] : byVip_) use.override = ofVip(*overrides_, vip);
}

void Decisions::setOverrides(std::shared_ptr<const control::Overrides> overrides) {
  overrides_ = std::move(overrides);
  for (auto& [key, entry] : entries_) entry.override = ofService(entry.service->service);
  for (auto& [vip, use] : byVip_) use.override = ofVip(*overrides_, vip);
  allTouched_ = true;
}

const control::Override* Decisions::ofService(const std::string& service) const {
  return overrides_->find({control::Subject::Kind::service, service, {}});
}

// The stronger of what is said of it and of the whole node.
const control::Override* Decisions::ofVip(const control::Overrides& overrides, const Prefix& vip) {
  const auto* own = overrides.find({control::Subject::Kind::vip, vip.shortStr(), {}});
  const auto* node = overrides.find({});
  return !own || (node && node->action > own->action) ? node : own;
}

void Decisions::touch(CheckId check) {
  const auto found = users_.find(check);
  if (found != users_.end()) touched_.insert(found->second.begin(), found->second.end());
}

void Decisions::judge(const HealthTable& health, bool believe, TimePoint now, Millis deadline) {
  const bool all = std::exchange(allTouched_, false);
  const auto touched = std::exchange(touched_, {});
  due_ = TimePoint::max();
  // Those of the addresses of a range all change at once.
  std::set<std::tuple<std::string, Family, std::uint16_t, Own, Own>> told;
  for (auto& item : entries_) {
    auto& [key, entry] = item;
    if (all || entry.changesAt <= now || touched.contains(&item)) {
      const auto before = entry.use.own;
      judge(entry, health, believe, now, deadline);
      fresh_.insert(key);
      const auto& service = *entry.service;
      const auto port = key.vip.port;
      if (before != entry.use.own &&
          told.emplace(service.service, key.family(), port, before, entry.use.own).second) {
        logChange(service, port, health, before, entry.use.own);
      }
    }
    due_ = std::min(due_, entry.changesAt);
  }
}

void Decisions::judge(Entry& entry, const HealthTable& health, bool believe, TimePoint now,
                      Millis deadline) {
  const auto& service = *entry.service;
  // Where verdicts are missing, all stays as it was.
  const auto quorum = quorumOf(service, health, entry.held, now, deadline);
  if (quorum != QuorumState::open) entry.held = quorum == QuorumState::reached;
  entry.view = viewOf(service, health, entry.held, now, deadline);

  ServerUse use;
  use.backups = believe && !entry.held && !service.backups.empty();
  const bool backupServes = std::ranges::any_of(
      service.backups, [&](const auto& b) { return health.isServing(b.second, now); });
  if (use.backups && backupServes) {
    use.own = Own::none;
  } else if (believe && inPanic(service, health, now, deadline)) {
    use.own = Own::all;
  }
  entry.use = use;

  entry.changesAt = TimePoint::max();
  for (const auto* backends : {&service.backends, &service.backups}) {
    for (const auto& [endpoint, backend] : *backends) {
      entry.changesAt = std::min(entry.changesAt, health.changesAt(backend, now, deadline));
    }
  }
}

Decisions::Uses Decisions::takeUses(const ipvs::ActualTable& actual) {
  Uses uses;
  std::set<ipvs::ServiceKey> later;
  for (const auto& key : fresh_) {
    const auto& entry = entries_.at(key);
    auto& use = uses.services[key] = entry.use;
    if (use.own != Own::none || isOnBackup(*entry.service, actual, key)) continue;
    use.own = Own::checked;
    later.insert(key);
  }
  fresh_ = std::move(later);
  uses.isDone = fresh_.empty();
  return uses;
}

bool Decisions::isComplete() const {
  return std::ranges::all_of(entries_, [](const Item& item) { return item.second.view.complete; });
}

Decisions::Verdict Decisions::decide(const Programmer& programmer, const Vips& vips,
                                     const std::map<Prefix, config::AnnounceWhen>& when) const {
  Verdict verdict;
  std::vector<ServiceView> views;
  for (const auto& [vip, use] : byVip_) {
    views.clear();
    for (const auto* item : use.items) {
      auto& view = views.emplace_back(item->second.view);
      view.programmed = programmer.isProgrammed(item->first);
      view.exists = view.programmed || programmer.exists(item->first);
      if (item->second.override) view.override = item->second.override->action;
    }
    const auto found = when.find(vip);
    const auto rule = found == when.end() ? config::AnnounceWhen::all : found->second;
    const auto decision = says(use.override, Action::disable)
                              ? Decision::withdraw
                              : agent::decide(vips.isPresent(vip), views, rule);
    verdict.vips.emplace_hint(verdict.vips.end(), vip, decision);
    if (says(use.override, Action::drain) || isDrained(views, rule)) verdict.drained.insert(vip);
  }
  return verdict;
}

std::string Decisions::explain(const Prefix& vip, const HealthTable& health,
                               const Programmer& programmer) const {
  const auto found = byVip_.find(vip);
  if (found == byVip_.end()) return "no longer in the site file";
  return explain(found->second, health,
                 [&](const ipvs::ServiceKey& key) { return programmer.exists(key); });
}

std::string Decisions::explain(const VipUse& use, const HealthTable& health, const Exists& exists) {
  constexpr std::size_t kMaxTexts = 8;  // a range may have hundreds of services that say the same
  std::set<std::string> texts;
  const auto& [items, override] = use;
  for (const auto* item : items) {
    if (texts.size() == kMaxTexts) break;
    texts.insert(describe(*item, health) + (exists(item->first) ? "" : ", not in the kernel"));
  }
  std::string joined;
  if (override) joined = override->subject.str() + " " + control::describe(*override);
  for (const auto& text : texts) joined += (joined.empty() ? "" : "; ") + text;
  return joined;
}

std::string Decisions::describe(const Item& item, const HealthTable& health) {
  const auto& [key, entry] = item;
  const auto& service = *entry.service;
  auto text = service.service + (key.vip.port ? ":" + std::to_string(key.vip.port) : "") + " " +
              agent::describe(service, health);
  if (!entry.held && service.quorum.hysteresis > 0) {
    text += " and " + std::to_string(service.quorum.hysteresis) + " more to regain it";
  }
  if (entry.use.backups) text += ", backup pool: " + upOf(service.backups, health);
  if (entry.use.own == Own::all) text += ", checks are not believed";
  if (entry.override) text += ", " + control::describe(*entry.override);
  if (!entry.view.quorumPossible && service.belowQuorum != config::BelowQuorum::withdraw) {
    const bool keep = service.belowQuorum == config::BelowQuorum::keep;
    text += keep ? ", kept below quorum" : ", last resort below quorum";
  }
  return text;
}

}  // namespace l4ward::agent
