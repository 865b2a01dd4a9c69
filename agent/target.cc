#include "agent/target.h"

namespace l4ward::agent {

ipvs::WantedTable wantedTable(const Model& model, const HealthTable& health, TimePoint now,
                              bool believe) {
  ipvs::WantedTable table = model.probeServices;
  for (const auto& [key, service] : model.services) {
    auto& wanted = table[key];
    wanted.config = service.config;
    for (const auto& [endpoint, backend] : service.backends) {
      const bool in = believe ? health.isServing(backend, now) : health.wasServing(backend, now);
      wanted.destinations[endpoint] = {backend.path, health.weight(backend), !in,
                                       backend.thresholds};
    }
  }
  return table;
}

bool Drains::finished(const Key& key, const ipvs::Destination& destination, TimePoint now,
                      Millis limit) {
  const auto since = since_.try_emplace(key, now).first->second;
  const bool idle = destination.weight == 0 && destination.activeConnections == 0 &&
                    destination.inactiveConnections == 0;
  return idle || now - since >= limit;
}

Target Drains::extend(ipvs::WantedTable wanted, const ipvs::ActualTable& actual,
                      const std::set<ipvs::ServiceKey>& owned, const ipvs::LastWeights& lastWeights,
                      TimePoint now, Millis limit) {
  Target target{std::move(wanted), {}};
  std::map<Key, TimePoint> draining;
  for (const auto& [key, service] : actual) {
    const bool isWanted = target.wanted.contains(key);
    if (!isWanted && !owned.contains(key)) continue;  // somebody else's

    ipvs::WantedService left{service.config, {}};
    for (const auto& destination : service.destinations) {
      if (isWanted && target.wanted[key].destinations.contains(destination.address)) continue;
      const Key drain{key, destination.address};
      if (finished(drain, destination, now, limit)) continue;
      draining.insert(*since_.find(drain));
      // Its slots stay its own until it goes: keep the weight that they came from.
      const auto nominal = ipvs::lastWeightOf(key, destination, lastWeights).value_or(1);
      left.destinations[destination.address] = {destination.path, nominal, true,
                                                destination.thresholds};
    }
    if (isWanted) {
      target.wanted[key].destinations.merge(left.destinations);
    } else if (left.destinations.empty()) {
      target.remove.push_back(key);
    } else {
      target.wanted[key] = std::move(left);
    }
  }
  since_ = std::move(draining);
  return target;
}

}  // namespace l4ward::agent
