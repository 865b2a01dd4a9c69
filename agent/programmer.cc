#include "agent/programmer.h"

#include <algorithm>
#include <span>

#include "base/log.h"

namespace l4ward::agent {
namespace {

constexpr Millis kDriftPeriod{30000};
constexpr Millis kDrainPeriod{1000};
constexpr std::size_t kFailuresLogged = 5;

}  // namespace

Status Programmer::dump() {
  auto table = kernel_.dump();
  if (!table) return tl::unexpected(table.error());
  actual_ = std::move(*table);
  stale_ = false;
  return {};
}

bool Programmer::isProgrammed(const ipvs::ServiceKey& key) const {
  return !retryAt_ && exists(key) && !failed_.contains(key);
}

void Programmer::reconcile(const ipvs::WantedTable& wanted, TimePoint now, Millis drainLimit) {
  if (retryAt_ && now < *retryAt_) return;
  const auto retryLater = [&] { nextDue_ = *(retryAt_ = now + backoff_.next()); };

  const bool periodic = now >= dumpDue_;
  if (stale_ || periodic || drains_.active()) {
    if (const auto dumped = dump(); !dumped) {
      log::error("ipvs.dump_failed", {{"reason", dumped.error().message}});
      return retryLater();
    }
    dumpDue_ = now + kDriftPeriod;
  }
  auto target = drains_.extend(wanted, actual_, memory_.value.owned, memory_.value.lastWeights, now,
                               drainLimit);
  const auto operations =
      ipvs::plan(actual_, target.wanted, memory_.value.lastWeights, target.remove);
  adopt(target);
  if (!operations.empty() && !apply(operations)) return retryLater();
  memory_.save();
  retryAt_.reset();
  backoff_.reset();
  nextDue_ = drains_.active() ? now + kDrainPeriod : dumpDue_;
}

// Whatever the target names is ours from now on, also if it was there before us.
void Programmer::adopt(const Target& target) {
  auto& owned = memory_.value.owned;
  for (const auto& [key, service] : target.wanted) {
    if (owned.insert(key).second && actual_.contains(key)) {
      log::info("ipvs.adopted", {{"service", key.str()}});
    }
  }
  // A service that is gone from the kernel and wanted no more needs no memory.
  std::erase_if(owned, [&](const ipvs::ServiceKey& key) {
    return !target.wanted.contains(key) && !actual_.contains(key);
  });
}

bool Programmer::apply(const std::vector<ipvs::Operation>& operations) {
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
  stale_ = true;
  failed_.clear();
  for (const auto& failure : result.failures) failed_.insert(operations[failure.index].service);
  memory_.value.lastWeights = ipvs::lastWeightsAfter(actual_, before, operations, result);
  memory_.save();
  return !result.unknown && result.failures.empty() && dump().has_value();
}

void Programmer::report(const std::vector<ipvs::Operation>& operations,
                        const ipvs::ApplyReport& result) {
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
