#include "ipvs/maglev_service.h"

#include <utility>
#include <vector>

namespace l4ward::ipvs {
namespace {

constexpr const char* kScheduler = "mh";

}  // namespace

std::optional<std::vector<MaglevServer>> maglevServers(const ServiceKey& key,
                                                       const ActualService& service,
                                                       const LastWeights& lastWeights,
                                                       std::size_t size) {
  if (service.config.scheduler != kScheduler) return std::nullopt;
  if (service.destinations.size() > size) return std::nullopt;
  std::vector<MaglevServer> servers;
  servers.reserve(service.destinations.size());
  for (const auto& destination : service.destinations) {
    const auto last = lastWeightOf(key, destination, lastWeights);
    if (!last) return std::nullopt;
    servers.push_back({destination.address, *last, destination.weight != 0});
  }
  return servers;
}

std::optional<MaglevTable> maglevTable(const ServiceKey& key, const ActualService& service,
                                       const LastWeights& lastWeights, std::size_t size) {
  auto servers = maglevServers(key, service, lastWeights, size);
  if (!servers) return std::nullopt;
  return MaglevTable(key.vip.address.family(), *std::move(servers), size);
}

std::optional<MaglevTable> maglevTable(const ServiceKey& key, const WantedService& service,
                                       std::size_t size) {
  if (service.config.scheduler != kScheduler) return std::nullopt;
  if (service.destinations.size() > size) return std::nullopt;
  std::vector<MaglevServer> servers;
  servers.reserve(service.destinations.size());
  for (const auto& [address, destination] : service.destinations) {
    servers.push_back({address, destination.nominalWeight, !destination.out});
  }
  return MaglevTable(key.vip.address.family(), std::move(servers), size);
}

}  // namespace l4ward::ipvs
