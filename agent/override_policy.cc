#include "agent/override_policy.h"

#include <algorithm>
#include <map>
#include <vector>

#include "config/diagnostics.h"

namespace l4ward::agent {
namespace {

using control::Subject;
using Kind = Subject::Kind;
using Backends = std::map<Endpoint, Backend>;

Status unknown(const std::string& what, const std::string& name,
               const std::vector<std::string>& known, const std::string& where = "the site") {
  return fail(where + " has no " + what + " " + config::inQuotes(name) +
              config::didYouMean(name, known));
}

template <typename T>
std::vector<std::string> namesOf(const std::map<std::string, T>& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

Status checkVip(const config::Site& site, const std::string& name) {
  std::vector<std::string> known;
  std::string hint;
  const auto address = IpAddress::parse(name);
  for (const auto& [service, value] : site.services) {
    for (const auto& vip : value.vips) {
      known.push_back(vip.shortStr());
      if (known.back() == name) return {};
      if (address && vip.contains(*address)) hint = "; the range is " + vip.shortStr();
    }
  }
  if (!hint.empty()) return fail("the site has no virtual IP '" + name + "'" + hint);
  return unknown("virtual IP", name, known);
}

Status checkServer(const config::Site& site, const Subject& subject) {
  if (!subject.pool.empty() && !site.pools.contains(subject.pool)) {
    return unknown("pool", subject.pool, namesOf(site.pools));
  }
  std::vector<std::string> known;
  for (const auto& [name, pool] : site.pools) {
    if (!subject.pool.empty() && name != subject.pool) continue;
    for (const auto& server : pool.servers) {
      if (server.name == subject.name) return {};
      known.push_back(server.name);
    }
  }
  const auto where = subject.pool.empty() ? "the site" : "pool '" + subject.pool + "'";
  return unknown("server", subject.name, known, where);
}

bool isMeant(const Backend& backend, const Subject& subject) {
  return subject.kind == Kind::server && backend.server == subject.name &&
         (subject.pool.empty() || subject.pool == backend.pool);
}

// Whether there is a healthy server, and none but those that are meant.
bool hasOnly(const Backends& backends, const HealthTable& health, const Subject& subject) {
  bool any = false;
  for (const auto& [endpoint, backend] : backends) {
    if (!health.isUp(backend)) continue;
    if (!isMeant(backend, subject)) return false;
    any = true;
  }
  return any;
}

}  // namespace

void markServers(Model& model, const control::Overrides& overrides) {
  for (auto& [key, service] : model.services) {
    for (auto* backends : {&service.backends, &service.backups}) {
      for (auto& [endpoint, backend] : *backends) {
        const auto* found = overrides.ofServer(backend.pool, backend.server);
        backend.override = found ? std::optional(found->action) : std::nullopt;
      }
    }
  }
}

Status checkSubject(const config::Site& site, const Subject& subject) {
  switch (subject.kind) {
    case Kind::node:
      return {};
    case Kind::vip:
      return checkVip(site, subject.name);
    case Kind::service:
      if (site.services.contains(subject.name)) return {};
      return unknown("service", subject.name, namesOf(site.services));
    case Kind::server:
      break;
  }
  return checkServer(site, subject);
}

std::optional<std::string> poolLeftWithout(const Model& model, const HealthTable& health,
                                           const Subject& subject) {
  for (const auto& [key, service] : model.services) {
    for (const auto* backends : {&service.backends, &service.backups}) {
      if (hasOnly(*backends, health, subject)) return backends->begin()->second.pool;
    }
  }
  return std::nullopt;
}

}  // namespace l4ward::agent
