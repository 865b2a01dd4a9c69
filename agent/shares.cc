#include "agent/shares.h"

#include <utility>

#include "ipvs/digest.h"
#include "ipvs/maglev_service.h"

namespace l4ward::agent {

void Shares::compute(Known& known, Family family) {
  const ipvs::MaglevTable table(family, known.servers, known.slots);
  known.digest = ipvs::digest(table, known.flags);
  std::vector<std::size_t> owned(known.servers.size());
  for (const auto slot : table.slots()) ++owned[slot];
  known.shares.clear();
  for (const auto count : owned) {
    known.shares.push_back(static_cast<double>(count) / static_cast<double>(known.slots));
  }
}

void Shares::add(control::NodeStatus& status, const Snapshot& snapshot, std::size_t slots) {
  status.node.tableSlots = slots;
  if (slots == 0) return;
  auto before = std::exchange(known_, {});
  for (auto& service : status.services) {
    const auto key = ipvs::ServiceKey::parse(service.key);
    const auto actual = key ? snapshot.actual.find(*key) : snapshot.actual.end();
    if (actual == snapshot.actual.end()) continue;
    auto servers = ipvs::maglevServers(*key, actual->second, snapshot.memory.lastWeights, slots);
    if (!servers) continue;
    // A table has the same slots whoever is out at the moment.
    for (auto& server : *servers) server.available = true;
    auto& known = known_[*key] = std::move(before[*key]);
    const auto flags = actual->second.config.flags;
    if (known.servers != *servers || known.flags != flags || known.slots != slots) {
      known = {*std::move(servers), flags, slots, {}, {}};
      compute(known, key->family());
    }
    service.digest = known.digest;
    // Both are in the kernel's order.
    for (std::size_t i = 0; i < service.destinations.size() && i < known.shares.size(); ++i) {
      service.destinations[i].share = known.shares[i];
    }
  }
}

}  // namespace l4ward::agent
