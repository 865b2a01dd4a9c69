#include "config/validate_checks.h"

#include <algorithm>
#include <set>

#include "config/validate.h"
#include "config/validate_vips.h"

namespace l4ward::config {
namespace {

using namespace healthcheck;

std::string checkPath(const Check& check, const std::string& key) {
  return joinPath(joinPath("checks", check.name), key);
}

// "pools.edge.check", or "pools.edge.check[1]" if there are several.
std::string checkPath(const Pool& pool, std::size_t index) {
  const auto path = joinPath(joinPath("pools", pool.name), "check");
  return pool.checks.size() == 1 ? path : path + "[" + std::to_string(index) + "]";
}

// In the order of the pool; null: wrong by itself, or there is none of this name.
std::vector<const Check*> checksOf(const Site& site, const Pool& pool) {
  std::vector<const Check*> checks;
  for (const auto& name : pool.checks) {
    const auto check = site.checks.find(name);
    checks.push_back(check == site.checks.end() ? nullptr : &check->second);
  }
  return checks;
}

// Checks via the tunnel are for servers that answer clients by themselves.
void checkForward(const Pool& pool, const std::vector<const Check*>& checks, Diagnostics& errors) {
  if (pool.forward != Forward::masquerade) return;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    if (checks[i] == nullptr || !checks[i]->viaTunnel) continue;
    errors.addAt(checkPath(pool, i), inQuotes(pool.checks[i]) + ", a check with `via: tunnel`",
                 "one with `via: direct`, because of `forward: masquerade`");
  }
}

void checkAgentWeights(const Pool& pool, const std::vector<const Check*>& checks,
                       Diagnostics& errors) {
  const bool mayHaveAgent = std::any_of(checks.begin(), checks.end(), [](const auto* check) {
    return check == nullptr || std::holds_alternative<AgentProbe>(check->how);
  });
  if (!pool.agentWeights || mayHaveAgent) return;
  errors.addAt(joinPath(joinPath("pools", pool.name), "agent_weight"),
               "'true' in a pool without an agent", "a check of type agent in `check`");
}

void checkPool(const Site& site, const Pool& pool, Diagnostics& errors) {
  const auto checks = checksOf(site, pool);
  for (std::size_t i = 0; i < checks.size(); ++i) {
    const auto& name = pool.checks[i];
    if (checks[i] != nullptr || name.empty()) continue;
    errors.addAt(
        checkPath(pool, i), inQuotes(name),
        (pool.checks.size() == 1 ? "the name of a check, or none" : "the name of a check") +
            errors.guess(name, site.checks));
  }
  checkForward(pool, checks, errors);
  checkAgentWeights(pool, checks, errors);
}

bool needsPort(const Check& check) {
  return !check.port && !std::holds_alternative<IcmpProbe>(check.how) &&
         !std::holds_alternative<ExecProbe>(check.how) &&
         !std::holds_alternative<FileProbe>(check.how);
}

// A check probes the port at which servers take the service's packets unless it has one of its own.
// One error a check.
void checkProbedPorts(const Site& site, Diagnostics& errors) {
  std::set<const Check*> reported;
  for (const auto& [name, service] : site.services) {
    const bool onePort = !service.mark && service.ports != std::vector<std::uint16_t>{0};
    if (onePort) continue;
    for (const auto* pool : poolsOf(site, service)) {
      if (pool->serverPort != 0) continue;
      for (const auto* check : checksOf(site, *pool)) {
        if (check == nullptr || !needsPort(*check) || !reported.insert(check).second) continue;
        errors.addAt(checkPath(*check, "port"), "no such key",
                     "a port, because service " + inQuotes(name) + " has no single one");
      }
    }
  }
}

void checkUplinks(const Site& site, Diagnostics& errors) {
  if (!site.dataPath.uplinks.empty()) return;
  for (const auto& [name, check] : site.checks) {
    if (!check.viaTunnel) continue;
    errors.addAt(checkPath(check, "via"), "'tunnel' and no `data_path.uplinks`",
                 "the interfaces where servers' answers come in at `data_path.uplinks`");
  }
}

void checkMarks(const Site& site, Diagnostics& errors) {
  const auto& path = site.dataPath;
  for (const auto& [name, service] : site.services) {
    const auto mark = service.mark.value_or(0);
    if (mark == 0 || mark < path.firstMark || mark > path.lastMark) continue;
    errors.addAt(servicePath(service, "mark"),
                 std::to_string(mark) + ", which is one of l4ward's own (data_path.marks)",
                 "a mark outside of " + std::to_string(path.firstMark) + " to " +
                     std::to_string(path.lastMark));
  }
}

}  // namespace

void validateChecks(const Site& site, Diagnostics& errors) {
  for (const auto& [name, pool] : site.pools) checkPool(site, pool, errors);
  checkProbedPorts(site, errors);
  checkUplinks(site, errors);
  checkMarks(site, errors);
}

}  // namespace l4ward::config
