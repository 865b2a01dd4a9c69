// IPVS services and their destinations.
#include "agent/status_builder.h"
#include "agent/status_parts.h"

namespace l4ward::agent {
namespace {

constexpr const char* usesOf(const ServerUse& use) {
  if (use.own == ServerUse::Own::all) return "all";
  return use.own == ServerUse::Own::none ? "backup" : "checked";
}

// `service`: null if the site file has it no more.
control::Destination destinationOf(const ipvs::ServiceKey& key, const VirtualService* service,
                                   const ipvs::Destination& destination,
                                   const ipvs::LastWeights& lastWeights) {
  control::Destination out;
  out.address = destination.address.str();
  out.weight = destination.weight;
  out.nominal = ipvs::lastWeightOf(key, destination, lastWeights).value_or(0);
  out.activeConnections = destination.activeConnections;
  out.inactiveConnections = destination.inactiveConnections;
  const auto* backend = service ? service->find(destination.address) : nullptr;
  out.removed = !backend;
  if (!backend) return out;
  out.server = backend->server;
  out.pool = backend->pool;
  return out;
}

void addJudgement(control::Service& out, const Snapshot& snapshot, const Decisions::Entry& entry) {
  const auto& service = *entry.service;
  const auto& health = snapshot.health;
  out.pool = service.pool;
  out.backupPool = snapshot.site->services.at(service.service).backupPool;
  out.name = service.service;
  out.scheduler = service.config.scheduler;
  out.quorum = entry.view.quorum;
  out.quorumText = describe(service, health);
  out.total = service.backends.size();
  for (const auto& [address, backend] : service.backends) {
    if (health.isUp(backend)) ++out.up;
  }
  out.uses = usesOf(entry.use);
}

// Of a service or destination.
template <typename Counted>
void copyCounters(Counted& out, const ipvs::Counters& counters) {
  out.connections = counters.connections;
  out.packetsIn = counters.packetsIn;
  out.packetsOut = counters.packetsOut;
  out.bytesIn = counters.bytesIn;
  out.bytesOut = counters.bytesOut;
}

}  // namespace

std::vector<control::Service> servicesOf(const Snapshot& snapshot) {
  // Those of the site file, and those that were ours and are still there; no services of probes.
  std::map<ipvs::ServiceKey, const std::set<Prefix>*> keys;
  for (const auto& [key, vips] : snapshot.memory.owned) {
    if (!vips.empty() && snapshot.actual.contains(key)) keys[key] = &vips;
  }
  for (const auto& [key, entry] : snapshot.services) keys[key] = &entry.service->vips;

  std::vector<control::Service> services;
  for (const auto& [key, vips] : keys) {
    auto& out = services.emplace_back();
    const auto entry = snapshot.services.find(key);
    const bool isKnown = entry != snapshot.services.end();
    out.key = key.str();
    out.programmed = snapshot.programmed.contains(key);
    out.uses = "checked";
    for (const auto& vip : *vips) out.vips.push_back(vip.shortStr());
    if (isKnown) addJudgement(out, snapshot, entry->second);
    const auto actual = snapshot.actual.find(key);
    if (actual == snapshot.actual.end()) continue;
    out.scheduler = actual->second.config.scheduler;
    for (const auto& destination : actual->second.destinations) {
      out.destinations.push_back(destinationOf(key, isKnown ? entry->second.service : nullptr,
                                               destination, snapshot.memory.lastWeights));
    }
  }
  return services;
}

void addStatistics(control::NodeStatus& status, const ipvs::Statistics& statistics, double at) {
  status.countersAt = at;
  std::map<std::string, const ipvs::ServiceStatistics*> byKey;
  for (const auto& [key, service] : statistics) byKey[key.str()] = &service;
  for (auto& service : status.services) {
    const auto found = byKey.find(service.key);
    if (found == byKey.end()) continue;
    copyCounters(service, found->second->counters);
    for (auto& destination : service.destinations) {
      const auto address = Endpoint::parse(destination.address);
      if (!address) continue;
      const auto counted = found->second->destinations.find(*address);
      if (counted == found->second->destinations.end()) continue;
      copyCounters(destination, counted->second.counters);
      destination.activeConnections = counted->second.activeConnections;
      destination.inactiveConnections = counted->second.inactiveConnections;
    }
  }
}

void addConnections(control::NodeStatus& status) {
  std::map<std::pair<std::string, std::string>, control::Server*> servers;
  for (auto& server : status.servers) servers[{server.pool, server.name}] = &server;
  for (const auto& service : status.services) {
    for (const auto& destination : service.destinations) {
      const auto found = servers.find({destination.pool, destination.server});
      if (found == servers.end()) continue;
      found->second->activeConnections += destination.activeConnections;
      found->second->inactiveConnections += destination.inactiveConnections;
    }
  }
}

}  // namespace l4ward::agent
