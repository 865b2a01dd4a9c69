#include "agent/globals_keeper.h"

#include <variant>

#include "base/log.h"

namespace l4ward::agent {
namespace {

std::optional<std::uint32_t> toSeconds(const std::optional<Millis>& value) {
  if (!value) return std::nullopt;
  return static_cast<std::uint32_t>(value->count() / 1000);
}

ipvs::SyncDaemon toDaemon(ipvs::SyncRole role, const config::SyncDaemon& site) {
  ipvs::SyncDaemon daemon;
  daemon.role = role;
  daemon.interface = site.interface;
  daemon.id = static_cast<std::uint8_t>(site.id);
  daemon.group = site.group;
  daemon.port = site.port;
  daemon.ttl = static_cast<std::uint8_t>(site.ttl);
  if (site.maxLength != 0) daemon.maxLength = static_cast<std::uint16_t>(site.maxLength);
  return daemon;
}

}  // namespace

ipvs::Globals wantedGlobals(const config::Ipvs& site) {
  ipvs::Globals wanted;
  wanted.timeouts = {toSeconds(site.timeouts.tcp), toSeconds(site.timeouts.tcpFin),
                     toSeconds(site.timeouts.udp)};
  if (site.syncMaster) {
    wanted.daemons.push_back(toDaemon(ipvs::SyncRole::master, *site.syncMaster));
  }
  if (site.syncBackup) {
    wanted.daemons.push_back(toDaemon(ipvs::SyncRole::backup, *site.syncBackup));
  }
  return wanted;
}

TimePoint GlobalsKeeper::reconcile(const ipvs::Globals& wanted, TimePoint now, Millis period) {
  const bool same = wanted == wanted_;
  wanted_ = wanted;
  if (!same) pending_.clear();
  if (wanted == ipvs::Globals{} && memory_.value.syncDaemons.empty()) return TimePoint::max();
  if (same && now < lookDue_) return lookDue_;
  if (attempt()) {
    backoff_.reset();
    complained_.clear();
    lookDue_ = now + period;
  } else {
    lookDue_ = now + backoff_.next();
  }
  return lookDue_;
}

// Whether the kernel is as it should be now.
bool GlobalsKeeper::attempt() {
  const auto actual = kernel_.dump();
  if (!actual) {
    complain(actual.error().message);
    return false;
  }
  auto& owned = memory_.value.syncDaemons;
  const auto plan = ipvs::planGlobals(*actual, wanted_, owned);
  for (const auto& problem : plan.problems) complain(problem.message);
  if (observe_) {
    pending_ = plan.operations;
    return true;
  }
  if (plan.operations.empty()) return plan.problems.empty();

  // On record before it runs: a daemon that is not on record is never stopped.
  const auto before = owned;
  for (const auto& operation : plan.operations) {
    if (const auto* start = std::get_if<ipvs::StartDaemon>(&operation.what)) {
      owned.insert(start->daemon.role);
    }
  }
  memory_.save();
  const auto report = kernel_.apply(plan.operations);
  owned = ipvs::ownedAfter(*actual, before, plan.operations, report);
  memory_.save();
  for (const auto& failure : report.failures) complain(failure.error.message);
  if (report.failures.empty()) {
    for (const auto& operation : plan.operations) {
      log::info("ipvs.global_set", {{"operation", operation.str()}});
    }
  }
  return report.failures.empty() && plan.problems.empty();
}

void GlobalsKeeper::complain(const std::string& what) {
  if (complained_.insert(what).second) log::error("ipvs.global_failed", {{"reason", what}});
}

}  // namespace l4ward::agent
