#include "tests/ipvs/fake_kernel.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <variant>

namespace l4ward::ipvs {
namespace {

// Checks that come before the destination is looked up.
template <typename Change>
int invalid(const ServiceKey& key, const Change& change) {
  const bool mixed = change.address.address.family() != key.family();
  if (mixed && change.path.forward != Forward::tunnel) return EINVAL;
  if (change.thresholds.lower > change.thresholds.upper) return ERANGE;
  if (change.weight > std::numeric_limits<std::int32_t>::max()) return ERANGE;
  if (change.path.tunnel.type == TunnelType::gue && change.path.tunnel.port == 0) return EINVAL;
  return 0;
}

// The kernel asks its routing table; here: without routes, so that only the address counts.
bool isUnicast(const IpAddress& address) {
  if (address.isUnspecified() || address.isMulticast()) return false;
  return address.isV4() || !address.isLinkLocal();
}

Path normalized(Path path) {
  if (path.forward != Forward::tunnel) path.tunnel = {};
  return path;
}

}  // namespace

Result<ActualTable> FakeKernel::dump() {
  ++dumps_;
  if (dumpFailure) return tl::unexpected(*std::exchange(dumpFailure, std::nullopt));
  ActualTable table;
  for (const auto& [key, service] : services_) {
    auto& actual = table[key];
    actual.config = service.config;
    for (const auto& entry : service.entries) actual.destinations.push_back(entry.destination);
  }
  return table;
}

Result<ActualTable> FakeKernel::dump(std::span<const ServiceKey> services) {
  auto table = dump();
  if (!table) return table;
  --dumps_;
  std::erase_if(*table, [&](const auto& entry) {
    return std::ranges::find(services, entry.first) == services.end();
  });
  return table;
}

ApplyReport FakeKernel::apply(std::span<const Operation> operations) {
  ApplyReport report;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (breakAfter && *breakAfter == 0) {
      breakAfter.reset();
      report.unknown = true;
      for (; i < operations.size(); ++i) {
        report.failures.push_back({i, {"the kernel did not answer in time", ETIMEDOUT}});
      }
      return report;
    }
    if (breakAfter) --*breakAfter;
    const auto& operation = operations[i];
    int code = failure ? failure(operations_, operation) : 0;
    ++operations_;
    if (code == 0) {
      code = std::visit([&](const auto& what) { return run(operation.service, what); },
                        operation.what);
    }
    if (code == 0) {
      ++report.applied;
    } else {
      report.failures.push_back({i, {operation.str() + ": " + std::strerror(code), code}});
    }
  }
  return report;
}

int FakeKernel::bindable(const std::string& scheduler, std::size_t destinations) const {
  if (!schedulers.contains(scheduler)) return ENOENT;
  return scheduler == "mh" && destinations > tableSize ? EINVAL : 0;
}

int FakeKernel::run(const ServiceKey& key, const AddService& add) {
  if (services_.contains(key)) return EEXIST;
  if (const int code = bindable(add.config.scheduler, 0)) return code;
  services_[key].config = add.config;
  return 0;
}

int FakeKernel::run(const ServiceKey& key, const EditService& edit) {
  const auto found = services_.find(key);
  if (found == services_.end()) return ESRCH;
  auto& [config, entries] = found->second;
  const bool same = edit.config.scheduler == config.scheduler;
  if (const int code = bindable(edit.config.scheduler, same ? 0 : entries.size())) return code;
  config = edit.config;
  return 0;
}

int FakeKernel::run(const ServiceKey& key, const DeleteService&) {
  const auto found = services_.find(key);
  if (found == services_.end()) return ESRCH;
  for (const auto& entry : found->second.entries) toTrash(key, entry);
  services_.erase(found);
  return 0;
}

int FakeKernel::run(const ServiceKey& key, const AddDestination& add) {
  const auto found = services_.find(key);
  if (found == services_.end()) return ESRCH;
  if (const int code = invalid(key, add)) return code;
  if (find(found->second, add.address)) return EEXIST;
  const auto trashed = trash_.find({key, add.address});
  if (trashed == trash_.end() && !isUnicast(add.address.address)) return EINVAL;
  Destination destination{add.address, normalized(add.path), add.weight, 0,
                          0,           known(add.thresholds)};
  if (trashed != trash_.end()) {
    std::tie(destination.activeConnections, destination.inactiveConnections) = trashed->second;
    trash_.erase(trashed);
  }
  found->second.entries.push_front({destination, add.weight});
  return 0;
}

int FakeKernel::run(const ServiceKey& key, const EditDestination& edit) {
  const auto found = services_.find(key);
  if (found == services_.end()) return ESRCH;
  if (const int code = invalid(key, edit)) return code;
  Entry* entry = find(found->second, edit.address);
  if (!entry) return ENOENT;
  entry->destination.path = normalized(edit.path);
  entry->destination.thresholds = known(edit.thresholds);
  entry->destination.weight = edit.weight;
  if (edit.weight != 0) entry->lastWeight = edit.weight;
  return 0;
}

int FakeKernel::run(const ServiceKey& key, const DeleteDestination& remove) {
  const auto found = services_.find(key);
  if (found == services_.end()) return ESRCH;
  auto& entries = found->second.entries;
  const auto entry = std::ranges::find(entries, remove.address, [](const Entry& candidate) {
    return candidate.destination.address;
  });
  if (entry == entries.end()) return ENOENT;
  toTrash(key, *entry);
  entries.erase(entry);
  return 0;
}

void FakeKernel::toTrash(const ServiceKey& key, const Entry& entry) {
  const auto& destination = entry.destination;
  trash_[{key, destination.address}] = {destination.activeConnections,
                                        destination.inactiveConnections};
}

FakeKernel::Entry* FakeKernel::find(Service& service, const Endpoint& address) {
  for (auto& entry : service.entries) {
    if (entry.destination.address == address) return &entry;
  }
  return nullptr;
}

void FakeKernel::setConnections(const ServiceKey& service, const Endpoint& destination,
                                std::uint32_t active, std::uint32_t inactive) {
  if (Entry* entry = find(services_.at(service), destination)) {
    entry->destination.activeConnections = active;
    entry->destination.inactiveConnections = inactive;
  }
}

std::optional<std::uint32_t> FakeKernel::lastWeight(const ServiceKey& service,
                                                    const Endpoint& destination) const {
  const auto found = services_.find(service);
  if (found == services_.end()) return std::nullopt;
  for (const auto& entry : found->second.entries) {
    if (entry.destination.address == destination) return entry.lastWeight;
  }
  return std::nullopt;
}

MaglevTable FakeKernel::maglev(const ServiceKey& service) const {
  std::vector<MaglevServer> servers;
  for (const auto& [destination, lastWeight] : services_.at(service).entries) {
    servers.push_back({destination.address, lastWeight, destination.weight != 0});
  }
  return {service.family(), std::move(servers), tableSize};
}

std::optional<Endpoint> FakeKernel::serverFor(const ServiceKey& service,
                                              const Endpoint& client) const {
  const auto& config = services_.at(service).config;
  if (config.scheduler != "mh") return std::nullopt;
  return maglev(service).serverFor(client, config.flags);
}

}  // namespace l4ward::ipvs
