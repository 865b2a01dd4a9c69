// The pools' servers, and their checks.
#include <algorithm>
#include <chrono>

#include "agent/status_builder.h"
#include "agent/status_parts.h"

namespace l4ward::agent {
namespace {

using healthcheck::Answer;
using healthcheck::Health;

std::string textOf(Answer answer) {
  switch (answer) {
    case Answer::pass:
      return "pass";
    case Answer::drain:
      return "drain";
    case Answer::fail:
      return "fail";
    case Answer::silent:
      return "silent";
    case Answer::localError:
      break;
  }
  return "error";
}

std::string kindOf(Answer answer, healthcheck::FailureKind kind) {
  return answer == Answer::fail ? std::string(healthcheck::toString(kind)) : "";
}

constexpr const char* kNotMade =
    "not made while observing: it needs an IPVS service of its own, so the kernel's word counts";

double seconds(std::chrono::microseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

struct HowName {
  bool tls;
  std::string operator()(const healthcheck::TcpProbe&) const {
    return tls ? "tcp with TLS" : "tcp";
  }
  std::string operator()(const healthcheck::HttpProbe&) const { return tls ? "https" : "http"; }
  std::string operator()(const healthcheck::DnsProbe&) const { return "dns"; }
  std::string operator()(const healthcheck::UdpProbe&) const { return "udp"; }
  std::string operator()(const healthcheck::IcmpProbe&) const { return "icmp"; }
  std::string operator()(const healthcheck::GrpcProbe&) const { return "grpc"; }
  std::string operator()(const healthcheck::ExecProbe&) const { return "exec"; }
  std::string operator()(const healthcheck::FileProbe&) const { return "file"; }
  std::string operator()(const healthcheck::AgentProbe&) const { return "agent"; }
};

std::string targetOf(const healthcheck::Probe& probe) {
  if (const auto* file = std::get_if<healthcheck::FileProbe>(&probe.how)) return file->path;
  return probe.target.port == 0 ? probe.target.address.str() : probe.target.str();
}

control::CheckResult resultOf(const HealthTable::Answered& answered, const WallClock& clock) {
  return {clock.of(answered.at), textOf(answered.answer), kindOf(answered.answer, answered.kind),
          answered.reason, seconds(answered.latency)};
}

void addHealth(control::Check& out, const HealthTable::Entry& entry, const WallClock& clock) {
  const auto& state = entry.state;
  out.health = healthcheck::toString(state.health);
  out.verified = state.verified;
  if (state.pending()) {
    out.toward = healthcheck::toString(state.toward);
    out.streak = state.streak;
    out.needed = state.toward == Health::down ? entry.policy.fall : entry.policy.rise;
  }
  out.localError = state.localError;
  out.warning = entry.warning;
  out.since = clock.of(entry.changedAt);
  if (!entry.history) return;
  for (const auto& answered : *entry.history) out.history.push_back(resultOf(answered, clock));
  std::ranges::reverse(out.history);
  out.last = out.history.front();
}

// What is known of a server, from the worst to the best.
constexpr Health kWorstFirst[] = {Health::down, Health::drain, Health::unknown, Health::up};

std::string stateOf(Health health) {
  return health == Health::drain ? "draining" : std::string(healthcheck::toString(health));
}

// "healthz: status 503, expected 200"
std::string reasonOf(const std::string& check, const HealthTable::Entry& entry) {
  if (!entry.history) return check + ": no answer yet";
  // Not a later answer that has not changed anything yet.
  const auto says = [&](const HealthTable::Answered& answered) {
    switch (entry.state.health) {
      case Health::up:
        return answered.answer == Answer::pass || answered.answer == Answer::silent;
      case Health::drain:
        return answered.answer == Answer::drain;
      case Health::down:
        return answered.answer == Answer::fail;
      case Health::unknown:
        break;
    }
    return true;
  };
  const auto& history = *entry.history;
  const auto found = std::find_if(history.rbegin(), history.rend(), says);
  const bool isAssumed = found == history.rend();
  return check + ": " + (isAssumed ? "as it was before, not confirmed yet" : found->reason);
}

class ServerBuilder {
 public:
  ServerBuilder(const Snapshot& snapshot, const WallClock& clock)
      : snapshot_(snapshot), clock_(clock), users_(serversInUse(snapshot)) {}

  control::Server build(const config::Pool& pool, const config::Server& server) const {
    control::Server out;
    out.pool = pool.name;
    out.name = server.name;
    for (const auto& address : server.addresses) out.addresses.push_back(address.str());
    out.weight = server.weight;
    const auto found = users_.find({pool.name, server.name});
    if (found == users_.end()) {
      out.state = "unknown";
      out.because = "no service uses it";
    } else {
      addState(out, found->second);
    }
    addOverride(out);
    return out;
  }

 private:
  void addState(control::Server& out, const ServerUsers& users) const {
    out.state = "up";
    if (users.checks.empty()) {
      out.because = "not checked";
      return;
    }
    auto worst = Health::up;
    TimePoint since{};
    for (const auto health : kWorstFirst) {
      // A check of both of a server's addresses mostly says the same of them.
      std::set<std::string> reasons;
      for (const auto id : users.checks) {
        const auto* entry = snapshot_.health.find(id);
        if (!entry || entry->state.health != health) continue;
        since = std::max(since, entry->changedAt);
        reasons.insert(reasonOf(snapshot_.model->checks.at(id).name, *entry));
      }
      if (reasons.empty()) continue;
      worst = health;
      out.because = *reasons.begin();
      if (reasons.size() > 1) {
        out.because += " (and " + std::to_string(reasons.size() - 1) + " more)";
      }
      break;
    }
    out.state = stateOf(worst);
    out.since = clock_.of(since);
    if (worst == Health::up) addWarmUp(out, *users.backend);
  }

  // People's word goes over what checks say.
  void addOverride(control::Server& out) const {
    const auto* override = snapshot_.overrides->ofServer(out.pool, out.name);
    if (!override) return;
    out.state = override->action == control::Action::drain ? "draining" : "disabled";
    out.because = describe(*override);
    out.since = override->since;
  }

  void addWarmUp(control::Server& out, const Backend& backend) const {
    const auto warm = snapshot_.health.warmAt(backend);
    if (!warm || *warm <= snapshot_.at) return;
    out.state = "warming";
    const auto left = std::chrono::ceil<std::chrono::seconds>(*warm - snapshot_.at);
    out.because = "takes new connections in " + formatDuration(left);
  }

  const Snapshot& snapshot_;
  const WallClock& clock_;
  ServersInUse users_;
};

}  // namespace

ServersInUse serversInUse(const Snapshot& snapshot) {
  ServersInUse users;
  const auto add = [&](const std::string& pool, const std::map<Endpoint, Backend>& backends) {
    for (const auto& [address, backend] : backends) {
      auto& user = users[{pool, backend.server}];
      user.backend = &backend;
      user.checks.insert(backend.checks.begin(), backend.checks.end());
    }
  };
  for (const auto& [key, service] : snapshot.model->services) {
    add(service.pool, service.backends);
    add(snapshot.site->services.at(service.service).backupPool, service.backups);
  }
  return users;
}

std::vector<control::Server> serversOf(const Snapshot& snapshot, const WallClock& clock) {
  const ServerBuilder builder(snapshot, clock);
  std::vector<control::Server> servers;
  for (const auto& [name, pool] : snapshot.site->pools) {
    for (const auto& server : pool.servers) servers.push_back(builder.build(pool, server));
  }
  return servers;
}

std::vector<control::Check> checksOf(const Snapshot& snapshot, const WallClock& clock) {
  std::vector<control::Check> checks;
  for (const auto& [id, check] : snapshot.model->checks) {
    auto& out = checks.emplace_back();
    const auto& probe = check.job.probe;
    out.id = checkId(id);
    out.name = check.name;
    out.server = check.server;
    out.pools = check.pools;
    out.target = targetOf(probe);
    out.how = std::visit(HowName{probe.tls.has_value()}, probe.how);
    if (probe.dataPath) out.how += " via tunnel";
    out.health = healthcheck::toString(Health::unknown);
    if (const auto* entry = snapshot.health.find(id)) addHealth(out, *entry, clock);
    if (snapshot.observing && probe.dataPath) out.warning = kNotMade;
  }
  return checks;
}

void addTallies(control::NodeStatus& status, const Snapshot& snapshot,
                const healthcheck::Tallies& tallies) {
  status.node.work.probeLatenessSeconds = toControl(tallies.lateness);
  const WallClock clock(snapshot.at, status.at);
  auto next = status.checks.begin();  // checksOf() made them in the model's order
  for (const auto& [id, unused] : snapshot.model->checks) {
    auto& check = *next++;
    const auto found = tallies.jobs.find(id);
    if (found == tallies.jobs.end()) continue;
    const auto& tally = found->second;
    for (std::size_t i = 0; i < tally.made.size(); ++i) {
      if (tally.made[i] > 0) check.made[std::string(healthcheck::nameOfEnding(i))] = tally.made[i];
    }
    check.seconds = toControl(tally.latency);
    // What was told last, and is told no more because it stays the same.
    const bool isSame = check.last.answer == textOf(tally.answer) &&
                        check.last.kind == kindOf(tally.answer, tally.kind);
    if (tally.at == TimePoint{} || !isSame) continue;
    check.last.at = clock.of(tally.at);
    check.last.latency = seconds(tally.lastLatency);
  }
}

}  // namespace l4ward::agent
