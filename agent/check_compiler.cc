#include "agent/check_compiler.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/hash.h"

namespace l4ward::agent {
namespace {

using healthcheck::FileProbe;
using healthcheck::IcmpProbe;

// Agents and files only ever lower a server; they are no sign of life.
bool isSignOfLife(const healthcheck::How& how) {
  return !std::holds_alternative<healthcheck::AgentProbe>(how) &&
         !std::holds_alternative<FileProbe>(how);
}

std::string describe(const Check& check) {
  auto probe = check.job.probe;
  if (probe.dataPath) probe.dataPath->mark = 0;  // a means, which may change
  std::string text = healthcheck::fingerprint(probe);
  for (const auto number :
       {check.job.interval.count(), check.job.fastInterval.count(), check.job.downInterval.count(),
        Millis::rep{check.policy.rise}, Millis::rep{check.policy.fall}}) {
    text += '\n' + std::to_string(number);
  }
  return text;
}

std::string textOf(const ipvs::Path& path) {
  return std::to_string(static_cast<int>(path.forward)) + ' ' +
         std::to_string(static_cast<int>(path.tunnel.type)) + ' ' +
         std::to_string(path.tunnel.port) + ' ' + std::to_string(path.tunnel.flags);
}

}  // namespace

bool CheckCompiler::Way::operator<(const Way& other) const {
  const auto key = [](const Way& way) {
    return std::tuple(way.family, way.server, way.path.forward, way.path.tunnel.type,
                      way.path.tunnel.port, way.path.tunnel.flags);
  };
  return key(*this) < key(other);
}

Check CheckCompiler::make(const config::Check& check, const Endpoint& endpoint,
                          const IpAddress& vip) {
  Check out;
  out.name = check.name;
  out.policy = {check.rise, check.fall};
  out.signOfLife = isSignOfLife(check.how);
  out.job.interval = check.interval;
  out.job.fastInterval = check.fastInterval;
  out.job.downInterval = check.downInterval;
  out.job.quietAfter = std::max(check.rise, check.fall);  // its verdict has been reached then
  auto& probe = out.job.probe;
  probe.how = check.how;
  probe.tls = check.tls;
  probe.timeout = check.timeout;
  const auto port = check.port.value_or(endpoint.port);
  probe.target = {endpoint.address, port};
  if (std::holds_alternative<IcmpProbe>(check.how)) probe.target.port = 0;
  // The same file says the same about all servers; a program is told whom it is asked about.
  if (std::holds_alternative<FileProbe>(check.how)) probe.target = {};
  if (check.viaTunnel) probe.dataPath = healthcheck::DataPath{{vip, port}, 0, check.fullSize};
  const auto family = check.viaTunnel ? vip.family() : endpoint.address.family();
  for (const auto& source : check.source) {
    if (source.family() == family) probe.source = source;
  }
  return out;
}

std::vector<CheckId> CheckCompiler::add(const config::Pool& pool, const config::Server& server,
                                        const Endpoint& endpoint, const ipvs::Path& path,
                                        const IpAddress& vip) {
  std::vector<CheckId> ids;
  for (const auto& name : pool.checks) {
    Check check = make(site_.checks.at(name), endpoint, vip);
    check.job.id = fnv1a(describe(check));
    check.server = server.name;
    const auto id = check.job.id;
    if (check.job.probe.dataPath) {
      auto& users = ways_[{vip.family(), endpoint.address, path}];
      if (std::ranges::find(users, id) == users.end()) users.push_back(id);
    }
    auto& known = model_.checks.try_emplace(id, std::move(check)).first->second;
    if (std::ranges::find(known.pools, pool.name) == known.pools.end()) {
      known.pools.push_back(pool.name);
    }
    ids.push_back(id);
  }
  return ids;
}

// By a hash, so that a way keeps its mark when others come and go.
void CheckCompiler::assignMarks() {
  const std::uint64_t marks = std::uint64_t{site_.dataPath.lastMark} - site_.dataPath.firstMark + 1;
  std::set<std::pair<Family, std::uint32_t>> taken;
  for (const auto& [way, ids] : ways_) {
    auto offset = fnv1a(way.server.str() + ' ' + textOf(way.path)) % marks;
    std::uint32_t mark = 0;
    do {
      mark = static_cast<std::uint32_t>(site_.dataPath.firstMark + offset);
      offset = (offset + 1) % marks;
    } while (!taken.insert({way.family, mark}).second && taken.size() < marks);
    ipvs::WantedService service;
    service.config.scheduler = "rr";
    service.destinations[{way.server, 0}] = {way.path, 1, false, {}};
    model_.probeServices[ipvs::ServiceKey::ofMark(mark, way.family)] = std::move(service);
    for (const auto id : ids) model_.checks.at(id).job.probe.dataPath->mark = mark;
  }
}

}  // namespace l4ward::agent
