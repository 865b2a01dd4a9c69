#include "agent/target.h"

namespace l4ward::agent {

ipvs::WantedService wantedService(const VirtualService& service, const HealthTable& health,
                                  const ServerUse& use, TimePoint now, bool believe) {
  ipvs::WantedService wanted{service.config, {}};
  const auto put = [&](const auto& server, bool in) {
    const auto& [endpoint, backend] = server;
    wanted.destinations[endpoint] = {backend.path, health.weight(backend), !in, backend.thresholds};
  };
  for (const auto& server : service.backends) {
    const bool passes =
        believe ? health.isServing(server.second, now) : health.wasServing(server.second, now);
    const bool isDisabled = server.second.override == control::Action::disable;
    put(server, use.own == ServerUse::Own::all ? !isDisabled
                                               : use.own == ServerUse::Own::checked && passes);
  }
  if (!use.backups) return wanted;
  for (const auto& server : service.backups) put(server, health.isServing(server.second, now));
  return wanted;
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
    const auto found = target.wanted.find(key);
    const bool isWanted = found != target.wanted.end();
    if (!isWanted && !owned.contains(key)) continue;  // somebody else's

    ipvs::WantedService left{service.config, {}};
    for (const auto& destination : service.destinations) {
      if (isWanted && found->second.destinations.contains(destination.address)) continue;
      const Key drain{key, destination.address};
      if (finished(drain, destination, now, limit)) continue;
      draining.insert(*since_.find(drain));
      // Its slots stay its own until it goes: keep the weight that they came from.
      const auto nominal = ipvs::lastWeightOf(key, destination, lastWeights).value_or(1);
      left.destinations[destination.address] = {destination.path, nominal, true,
                                                destination.thresholds};
    }
    if (isWanted) {
      found->second.destinations.merge(left.destinations);
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
