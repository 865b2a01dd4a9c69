// What the kernel should hold now: the services of the site file with the health of their servers,
// and what an earlier site file left behind and is still draining. Pure: time is an argument.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "agent/availability.h"
#include "agent/health.h"
#include "agent/model.h"
#include "base/clock.h"
#include "ipvs/plan.h"
#include "ipvs/types.h"

namespace l4ward::agent {

// Every server that is to be in the table; those that take no new connections are out. In a
// panic those are in, too, unless people have disabled them. `believe`:
// else checks that fell are not, see HealthTable::wasServing.
ipvs::WantedService wantedService(const VirtualService& service, const HealthTable& health,
                                  const ServerUse& use, TimePoint now, bool believe);

struct Target {
  ipvs::WantedTable wanted;
  std::vector<ipvs::ServiceKey> remove;
};

// Destinations and services that the kernel holds and nobody wants any more. They stay at weight 0
// until a dump shows no connections, or for the drain limit.
class Drains {
 public:
  // `wanted` with what drains added. Destinations found in services that are wanted or `owned`,
  // and wanted by nobody, begin to drain. What has drained, or has been at it for `limit`, is not
  // in the result (so that a plan deletes it), or, where a whole service has, is in `remove`.
  Target extend(ipvs::WantedTable wanted, const ipvs::ActualTable& actual,
                const std::set<ipvs::ServiceKey>& owned, const ipvs::LastWeights& lastWeights,
                TimePoint now, Millis limit);

  // Something drains: look again soon.
  bool active() const { return !since_.empty(); }

 private:
  using Key = std::pair<ipvs::ServiceKey, Endpoint>;
  bool finished(const Key& key, const ipvs::Destination& destination, TimePoint now, Millis limit);

  std::map<Key, TimePoint> since_;
};

}  // namespace l4ward::agent
