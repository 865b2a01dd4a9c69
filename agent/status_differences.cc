// What an agent that observes would change.
#include <algorithm>
#include <span>

#include "agent/preview.h"
#include "agent/status_builder.h"
#include "agent/status_parts.h"
#include "ipvs/maglev.h"

namespace l4ward::agent {
namespace {

// Two Maglev tables are made for each service whose flows are counted.
constexpr std::size_t kCounted = 200;

}  // namespace

void addDifferences(control::NodeStatus& status, const Snapshot& snapshot, std::size_t slots) {
  if (!snapshot.observing) return;
  const WallClock clock(snapshot.at, status.at);
  // Operations of one service stand together.
  const auto counted = [&] {
    std::set<ipvs::ServiceKey> keys;
    auto end = snapshot.pending.begin();
    for (; end != snapshot.pending.end(); ++end) {
      if (keys.insert(end->service).second && keys.size() > kCounted) break;
    }
    return std::vector<ipvs::Operation>(snapshot.pending.begin(), end);
  }();
  std::map<std::string, std::string> flows;
  for (const auto& service :
       previewOf(counted, *snapshot.model, snapshot.actual, snapshot.memory.lastWeights,
                 slots == 0 ? ipvs::MaglevTable::kDefaultSize : slots)) {
    flows[service.key.str()] = summaryOf(service);
  }
  for (const auto& [key, difference] : snapshot.differences) {
    auto& out = status.differences.emplace_back();
    out.kind = toString(key.first);
    out.subject = key.second;
    const auto known = flows.find(key.second);
    const bool isService = key.first == Difference::Kind::service && known != flows.end();
    out.text = isService ? known->second : difference.text;
    out.operations = difference.operations;
    out.since = clock.of(difference.since);
  }
}

}  // namespace l4ward::agent
