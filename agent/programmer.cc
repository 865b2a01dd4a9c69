#include "agent/programmer.h"

#include <algorithm>
#include <span>
#include <utility>
#include <variant>

#include "base/log.h"
#include "ipvs/drift.h"

namespace l4ward::agent {
namespace {

using Keys = std::set<ipvs::ServiceKey>;

constexpr Millis kDrainPeriod{1000};
// Somebody else programs the kernel, and what he does is to be seen soon.
constexpr Millis kObservePeriod{2000};
constexpr std::size_t kFailuresLogged = 5;
constexpr std::size_t kDriftsLogged = 20;

template <typename Map>
Keys keysOf(const Map& map) {
  Keys keys;
  for (const auto& [key, value] : map) keys.insert(key);
  return keys;
}

// An edit of a weight and of nothing else cannot surprise; whatever else is sent is read back.
bool isPlain(const ipvs::ActualTable& before, const ipvs::Operation& operation) {
  const auto* edit = std::get_if<ipvs::EditDestination>(&operation.what);
  const auto service = before.find(operation.service);
  if (!edit || service == before.end()) return false;
  const auto& list = service->second.destinations;
  const auto held = std::ranges::find(list, edit->address, &ipvs::Destination::address);
  return held != list.end() && held->path == edit->path && held->thresholds == edit->thresholds;
}

void logDrift(const std::vector<ipvs::Drift>& drifts) {
  if (drifts.empty()) return;
  Keys services;
  for (const auto& drift : drifts) services.insert(drift.service);
  for (const auto& drift : std::span(drifts).first(std::min(drifts.size(), kDriftsLogged))) {
    log::warning("ipvs.drift", {{"service", drift.service.str()}, {"found", drift.what}});
  }
  log::warning("ipvs.drift_found", {{"differences", drifts.size()}, {"services", services.size()}});
}

}  // namespace

Status Programmer::dump() {
  auto table = kernel_.dump();
  if (!table) return tl::unexpected(table.error());
  if (known_ && !observe_) {
    const auto drifts = ipvs::driftOf(actual_, *table, keysOf(memory_.value.owned));
    driftFound_ += drifts.size();
    logDrift(drifts);
  }
  actual_ = std::move(*table);
  known_ = fresh_ = true;
  return {};
}

bool Programmer::isProgrammed(const ipvs::ServiceKey& key) const {
  return !retryAt_ && exists(key) && !troubles_.contains(key) && !differing_.contains(key);
}

void Programmer::resync() {
  lookDue_ = {};
  retryAt_.reset();
  for (auto& [key, trouble] : troubles_) trouble.retryAt = {};
}

void Programmer::reconcile(Wishes wishes, TimePoint now, const Periods& periods) {
  if (retryAt_ && now < *retryAt_) return;
  const auto retryLater = [&] { nextDue_ = *(retryAt_ = now + backoff_.next()); };
  if (const auto looked = look(now, periods); !looked) {
    log::error("ipvs.dump_failed", {{"reason", looked.error().message}});
    return retryLater();
  }
  if (observe_) {
    planOnly(wishes);
    retryAt_.reset();
    backoff_.reset();
    nextDue_ = lookDue_;
    return;
  }
  // Of those that are not wanted any more nothing needs to be tried again.
  std::erase_if(troubles_, [&](const auto& entry) { return !wishes.table.contains(entry.first); });
  auto owned = keysOf(memory_.value.owned);
  for (const auto& key : wishes.gone) owned.erase(key);  // nothing of them drains
  auto target = drains_.extend(std::move(wishes.table), actual_, owned, memory_.value.lastWeights,
                               now, periods.drainLimit);
  for (const auto& key : wishes.gone) {
    if (exists(key)) target.remove.push_back(key);
  }
  forgetGone(target);
  withhold(target, now);
  const auto planned = [&] {
    return ipvs::plan(actual_, target.wanted, memory_.value.lastWeights, target.remove,
                      wishes.idle);
  };
  if (const auto operations = planned(); operations.empty()) {
    std::erase_if(troubles_,
                  [&](const auto& entry) { return target.wanted.contains(entry.first); });
  } else {
    auto failed = apply(operations);
    if (!failed) return retryLater();
    noteTroubles(operations, notTaken(target, operations, *std::move(failed)), now);
  }
  memory_.save();
  retryAt_.reset();
  backoff_.reset();
  nextDue_ = earliest(now);
}

void Programmer::planOnly(const Wishes& wishes) {
  auto& lastWeights = memory_.value.lastWeights;
  lastWeights = ipvs::lastWeightsAfter(actual_, lastWeights, {});
  Keys unwanted = wishes.gone;
  for (const auto& [key, vips] : memory_.value.owned) {
    if (!wishes.table.contains(key)) unwanted.insert(key);
  }
  const std::vector<ipvs::ServiceKey> remove(unwanted.begin(), unwanted.end());
  pending_ = ipvs::plan(actual_, wishes.table, lastWeights, remove);
  differing_.clear();
  for (const auto& operation : pending_) differing_.insert(operation.service);
}

// Reads the kernel if it is time.
Status Programmer::look(TimePoint now, const Periods& periods) {
  const auto period = observe_ ? std::min(periods.drift, kObservePeriod) : periods.drift;
  if (std::exchange(fresh_, false)) lookDue_ = now + period;
  lookDue_ = std::min(lookDue_, now + period);  // a new site file may have a shorter one
  if (known_ && now < lookDue_ && !drains_.active()) return {};
  if (auto dumped = dump(); !dumped) return dumped;
  fresh_ = false;
  lookDue_ = now + period;
  return {};
}

// A service that is gone from the kernel and wanted no more needs no memory.
void Programmer::forgetGone(const Target& target) {
  std::erase_if(memory_.value.owned, [&](const auto& entry) {
    return !target.wanted.contains(entry.first) && !actual_.contains(entry.first);
  });
}

// Leaves services in trouble alone until it is their time.
void Programmer::withhold(Target& target, TimePoint now) const {
  for (const auto& [key, trouble] : troubles_) {
    if (now >= trouble.retryAt) continue;
    target.wanted.erase(key);
    std::erase(target.remove, key);
  }
}

std::optional<Keys> Programmer::apply(const Operations& operations) {
  // Forget before, remember after: a kill in between must not leave a last weight on record that
  // is not the kernel's.
  const auto before = memory_.value.lastWeights;
  auto after = ipvs::lastWeightsAfter(actual_, before, operations);
  std::erase_if(memory_.value.lastWeights, [&](const auto& entry) {
    const auto kept = after.find(entry.first);
    return kept == after.end() || kept->second != entry.second;
  });
  memory_.save();

  const auto result = kernel_.apply(operations);
  report(operations, result);
  memory_.value.lastWeights = result.failures.empty() && !result.unknown
                                  ? std::move(after)
                                  : ipvs::lastWeightsAfter(actual_, before, operations, result);
  memory_.save();
  Keys failed;
  for (const auto& failure : result.failures) failed.insert(operations[failure.index].service);
  known_ = !result.unknown && verify(operations, failed);
  if (!known_) return std::nullopt;
  return failed;
}

// Brings actual_ up to date with what was done, by reading the services that may hold something
// else than they were told: those in `doubtful`, and those whose operations may surprise.
bool Programmer::verify(const Operations& operations, Keys doubtful) {
  Operations plain;
  for (const auto& operation : operations) {
    if (isPlain(actual_, operation)) {
      plain.push_back(operation);
    } else {
      doubtful.insert(operation.service);
    }
  }
  actual_ = ipvs::tableAfter(std::move(actual_), plain);
  if (doubtful.empty()) return true;
  const std::vector<ipvs::ServiceKey> keys(doubtful.begin(), doubtful.end());
  auto read = kernel_.dump(keys);
  if (!read) {
    log::error("ipvs.dump_failed", {{"reason", read.error().message}});
    return false;
  }
  for (const auto& key : keys) actual_.erase(key);
  actual_.merge(*read);
  return true;
}

// The services that failed, and those that said yes and hold something else: a kernel that does not
// know an attribute leaves it out without a word.
Keys Programmer::notTaken(const Target& target, const Operations& operations, Keys failed) const {
  ipvs::WantedTable touched;
  for (const auto& operation : operations) {
    const auto wanted = target.wanted.find(operation.service);
    if (wanted != target.wanted.end() && !failed.contains(operation.service))
      touched.insert(*wanted);
  }
  for (const auto& left : ipvs::plan(actual_, touched, memory_.value.lastWeights, {})) {
    if (!failed.insert(left.service).second) continue;
    log::error("ipvs.not_taken",
               {{"operation", left.str()},
                {"reason", "the kernel agreed and holds something else; it may be too old"}});
  }
  return failed;
}

void Programmer::noteTroubles(const Operations& operations, const Keys& failed, TimePoint now) {
  for (const auto& operation : operations) {
    if (!failed.contains(operation.service)) troubles_.erase(operation.service);
  }
  for (const auto& key : failed) {
    auto& trouble = troubles_[key];
    trouble.retryAt = now + trouble.backoff.next();
  }
}

TimePoint Programmer::earliest(TimePoint now) const {
  auto due = drains_.active() ? std::min(lookDue_, now + kDrainPeriod) : lookDue_;
  for (const auto& [key, trouble] : troubles_) due = std::min(due, trouble.retryAt);
  return due;
}

void Programmer::report(const Operations& operations, const ipvs::ApplyReport& result) const {
  for (const auto& failure :
       std::span(result.failures).first(std::min(result.failures.size(), kFailuresLogged))) {
    log::error("ipvs.operation_failed",
               {{"operation", operations[failure.index].str()}, {"reason", failure.error.message}});
  }
  log::info("ipvs.applied", {{"operations", operations.size()},
                             {"applied", result.applied},
                             {"failed", result.failures.size()}});
}

}  // namespace l4ward::agent
