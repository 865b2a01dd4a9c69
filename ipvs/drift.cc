#include "ipvs/drift.h"

#include <map>

namespace l4ward::ipvs {
namespace {

using ByAddress = std::map<Endpoint, const Destination*>;

ByAddress byAddress(const ActualService& service) {
  ByAddress map;
  for (const auto& destination : service.destinations) map[destination.address] = &destination;
  return map;
}

// The addresses of `service` that are also in `other`, in list order.
std::vector<Endpoint> common(const ActualService& service, const ByAddress& other) {
  std::vector<Endpoint> addresses;
  for (const auto& destination : service.destinations) {
    if (other.contains(destination.address)) addresses.push_back(destination.address);
  }
  return addresses;
}

class Comparison {
 public:
  Comparison(const ServiceKey& key, std::vector<Drift>& drifts) : key_(key), drifts_(drifts) {}

  void compare(const ActualService& left, const ActualService& found) {
    if (left.config != found.config) {
      put("has " + found.config.str() + ", not " + left.config.str());
    }
    const auto before = byAddress(left);
    const auto after = byAddress(found);
    for (const auto& [address, destination] : before) {
      const auto now = after.find(address);
      if (now == after.end()) {
        put(address.str() + " is gone");
      } else {
        compare(*destination, *now->second);
      }
    }
    for (const auto& [address, destination] : after) {
      if (!before.contains(address)) put(address.str() + " was added");
    }
    if (common(left, after) != common(found, before)) put("the servers' order changed");
  }

  void put(std::string what) { drifts_.push_back({key_, std::move(what)}); }

 private:
  void compare(const Destination& left, const Destination& found) {
    const auto name = found.address.str();
    if (left.weight != found.weight) {
      put(name + " has weight " + std::to_string(found.weight) + ", not " +
          std::to_string(left.weight));
    }
    if (left.path != found.path) {
      put(name + " is reached by " + found.path.str() + ", not " + left.path.str());
    }
    if (left.thresholds != found.thresholds) {
      put(name + " has" + orNone(found.thresholds) + ", not" + orNone(left.thresholds));
    }
  }

  static std::string orNone(const Thresholds& thresholds) {
    return thresholds == Thresholds{} ? " no thresholds" : thresholds.str();
  }

  const ServiceKey& key_;
  std::vector<Drift>& drifts_;
};

}  // namespace

std::vector<Drift> driftOf(const ActualTable& left, const ActualTable& found,
                           const std::set<ServiceKey>& ours) {
  std::vector<Drift> drifts;
  for (const auto& [key, service] : left) {
    if (!ours.contains(key)) continue;
    Comparison comparison(key, drifts);
    const auto now = found.find(key);
    if (now == found.end()) {
      comparison.put("gone");
    } else {
      comparison.compare(service, now->second);
    }
  }
  return drifts;
}

}  // namespace l4ward::ipvs
