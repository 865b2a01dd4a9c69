#include "ipvs/globals.h"

#include <algorithm>
#include <cerrno>
#include <functional>

namespace l4ward::ipvs {
namespace {

// Those of net/netfilter/ipvs/ip_vs_sync.c.
constexpr std::uint16_t kDefaultPort = 8848;
constexpr std::uint8_t kDefaultTtl = 1;
constexpr std::uint16_t kMinBackupLength = 1024;

const IpAddress& defaultGroup() {
  static const IpAddress group = IpAddress::parse("224.0.0.81").value();
  return group;
}

// What start_sync_thread() makes of a length.
std::uint16_t effectiveLength(const SyncDaemon& wanted) {
  const bool v4 = wanted.group.value_or(defaultGroup()).isV4();
  const std::uint16_t most = v4 ? 65535 - 28 : 65535 - 48;  // IP and UDP headers
  const std::uint16_t least = wanted.role == SyncRole::backup ? kMinBackupLength : 1;
  return std::clamp(*wanted.maxLength, least, most);
}

template <typename T, typename Text>
void append(std::string& into, std::string_view name, const std::optional<T>& value, Text text) {
  if (value) into.append(into.empty() ? "" : " ").append(name).append(" ").append(text(*value));
}

std::string number(unsigned value) {
  return std::to_string(value);
}

std::string seconds(std::uint32_t value) {
  return std::to_string(value) + "s";
}

// Puts what of `wanted` is not `actual` into `missing`.
void compareTimeout(const std::optional<std::uint32_t>& actual,
                    const std::optional<std::uint32_t>& wanted,
                    std::optional<std::uint32_t>& missing, std::string_view name,
                    std::vector<Error>& problems) {
  if (!wanted || wanted == actual) return;
  if (actual) {
    missing = wanted;
  } else {
    problems.push_back({"the kernel's IPVS has no timeout " + std::string(name), EPROTONOSUPPORT});
  }
}

void planTimeouts(const Timeouts& actual, const Timeouts& wanted, GlobalsPlan& plan) {
  Timeouts missing;
  compareTimeout(actual.tcp, wanted.tcp, missing.tcp, "tcp", plan.problems);
  compareTimeout(actual.tcpFin, wanted.tcpFin, missing.tcpFin, "tcp-fin", plan.problems);
  compareTimeout(actual.udp, wanted.udp, missing.udp, "udp", plan.problems);
  if (missing != Timeouts{}) plan.operations.push_back({SetTimeouts{missing}});
}

Error foreign(const SyncDaemon& actual, const SyncDaemon& wanted) {
  const std::string role(toString(actual.role));
  return {wanted.str() + ": somebody else runs " + actual.str() +
              ": stop it (ipvsadm --stop-daemon " + role + ") or ask for the same",
          EEXIST};
}

}  // namespace

std::string_view toString(SyncRole role) {
  return role == SyncRole::master ? "master" : "backup";
}

std::string Timeouts::str() const {
  std::string result;
  append(result, "tcp", tcp, seconds);
  append(result, "tcp-fin", tcpFin, seconds);
  append(result, "udp", udp, seconds);
  return result;
}

std::string SyncDaemon::str() const {
  std::string result = "sync daemon ";
  result.append(toString(role)).append(" on ").append(interface).append(" id ").append(number(id));
  append(result, "group", group, std::mem_fn(&IpAddress::str));
  append(result, "port", port, number);
  append(result, "ttl", ttl, number);
  append(result, "length", maxLength, number);
  return result;
}

bool satisfies(const SyncDaemon& actual, const SyncDaemon& wanted) {
  return actual.role == wanted.role && actual.interface == wanted.interface &&
         actual.id == wanted.id && actual.group == wanted.group.value_or(defaultGroup()) &&
         actual.port == wanted.port.value_or(kDefaultPort) &&
         actual.ttl == wanted.ttl.value_or(kDefaultTtl) &&
         (!wanted.maxLength || actual.maxLength == effectiveLength(wanted));
}

const SyncDaemon* Globals::daemon(SyncRole role) const {
  const auto found = std::ranges::find(daemons, role, &SyncDaemon::role);
  return found == daemons.end() ? nullptr : &*found;
}

std::string GlobalsOperation::str() const {
  if (const auto* set = std::get_if<SetTimeouts>(&what)) {
    return "set timeouts " + set->timeouts.str();
  }
  if (const auto* stop = std::get_if<StopDaemon>(&what)) {
    return "stop sync daemon " + std::string(toString(stop->role));
  }
  return "start " + std::get<StartDaemon>(what).daemon.str();
}

GlobalsPlan planGlobals(const Globals& actual, const Globals& wanted,
                        const std::set<SyncRole>& owned) {
  GlobalsPlan plan;
  planTimeouts(actual.timeouts, wanted.timeouts, plan);
  std::vector<GlobalsOperation> starts;
  for (const auto role : {SyncRole::master, SyncRole::backup}) {
    const auto* is = actual.daemon(role);
    const auto* want = wanted.daemon(role);
    if (is && want && satisfies(*is, *want)) continue;
    if (is && want && !owned.contains(role)) {
      plan.problems.push_back(foreign(*is, *want));
      continue;
    }
    const GlobalsOperation stop{StopDaemon{role}};
    if (is && owned.contains(role)) plan.operations.push_back(stop);
    if (want) starts.push_back({StartDaemon{*want}});
  }
  plan.operations.insert(plan.operations.end(), starts.begin(), starts.end());
  return plan;
}

std::set<SyncRole> ownedAfter(const Globals& actual, const std::set<SyncRole>& owned,
                              std::span<const GlobalsOperation> operations,
                              const ApplyReport& report) {
  std::set<SyncRole> after;
  for (const auto role : owned) {
    if (actual.daemon(role)) after.insert(role);
  }
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const bool failed =
        std::ranges::find(report.failures, i, &OperationFailure::index) != report.failures.end();
    if (const auto* stop = std::get_if<StopDaemon>(&operations[i].what); stop && !failed) {
      after.erase(stop->role);
    }
    const auto* start = std::get_if<StartDaemon>(&operations[i].what);
    if (start && (!failed || report.unknown)) after.insert(start->daemon.role);
  }
  return after;
}

}  // namespace l4ward::ipvs
