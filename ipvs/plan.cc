#include "ipvs/plan.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <set>

namespace l4ward::ipvs {
namespace {

constexpr std::string_view kNoScheduler = "none";
// Below it, changing the scheduler twice is no gain.
constexpr std::size_t kFewChanges = 4;

// Plans one service.
class ServicePlan {
 public:
  ServicePlan(const ServiceKey& key, const WantedService& wanted, const LastWeights& lastWeights,
              std::vector<Operation>& operations)
      : key_(key), wanted_(wanted), lastWeights_(lastWeights), operations_(operations) {}

  void create() {
    operations_.reserve(operations_.size() + wanted_.destinations.size() + 2);
    put(AddService{unfilled()});
    rebuild({}, wanted_.destinations.end());
    if (wanted_.config != unfilled()) put(EditService{wanted_.config});
  }

  void change(const ActualService& actual, bool idle) {
    // Flags before weights: a server may only go out once the fallback is on. The scheduler after
    // everything else, since each change under mh builds the whole table.
    const bool newConfig = actual.config != wanted_.config;
    const bool newScheduler = actual.config.scheduler != wanted_.config.scheduler;
    const auto start = operations_.size();
    if (newConfig && !newScheduler) put(EditService{wanted_.config});
    changeDestinations(actual);
    if (newScheduler) return put(EditService{wanted_.config});
    if (!idle || operations_.size() - start <= kFewChanges) return;
    if (newConfig) operations_.erase(operations_.begin() + static_cast<std::ptrdiff_t>(start));
    operations_.insert(operations_.begin() + static_cast<std::ptrdiff_t>(start),
                       {key_, EditService{unfilled()}});
    put(EditService{wanted_.config});
  }

 private:
  ServiceConfig unfilled() const {
    ServiceConfig config = wanted_.config;
    config.scheduler = kNoScheduler;
    return config;
  }

  using Wanted = std::map<Endpoint, WantedDestination>;
  using Present = std::map<Endpoint, std::size_t>;  // position in the kernel's list

  void changeDestinations(const ActualService& actual) {
    if (std::ranges::equal(actual.destinations, wanted_.destinations, {}, &Destination::address,
                           &Wanted::value_type::first)) {
      editAll(actual, false);
      return editAll(actual, true);
    }
    Present present;
    for (std::size_t i = 0; i < actual.destinations.size(); ++i) {
      present.emplace(actual.destinations[i].address, i);
    }
    const auto kept = firstKept(present);
    editKept(actual, present, kept, false);
    editKept(actual, present, kept, true);
    rebuild(present, kept);
    for (const auto& destination : actual.destinations) {
      if (!wanted_.destinations.contains(destination.address)) {
        put(DeleteDestination{destination.address});
      }
    }
  }

  // The kernel has just the wanted servers, in their order.
  void editAll(const ActualService& actual, bool out) {
    auto held = actual.destinations.begin();
    for (const auto& [address, wanted] : wanted_.destinations) {
      if (wanted.out == out) edit(*held, wanted);
      ++held;
    }
  }

  // Where the longest tail of the canonical order begins that the kernel holds in that order. What
  // is before it must be put at the head again, since the kernel inserts nowhere else.
  Wanted::const_iterator firstKept(const Present& present) const {
    auto kept = wanted_.destinations.end();
    std::optional<std::size_t> position;
    while (kept != wanted_.destinations.begin()) {
      const auto found = present.find(std::prev(kept)->first);
      if (found == present.end() || (position && found->second > *position)) break;
      position = found->second;
      --kept;
    }
    return kept;
  }

  // Servers that come in are changed before servers that go out.
  void editKept(const ActualService& actual, const Present& present, Wanted::const_iterator kept,
                bool out) {
    for (; kept != wanted_.destinations.end(); ++kept) {
      if (kept->second.out != out) continue;
      edit(actual.destinations[present.at(kept->first)], kept->second);
    }
  }

  void edit(const Destination& actual, const WantedDestination& wanted) {
    const EditDestination nominal{actual.address, wanted.path, wanted.nominalWeight,
                                  wanted.thresholds};
    const bool same = actual.path == wanted.path && actual.thresholds == wanted.thresholds;
    if (!wanted.out) {
      if (!same || actual.weight != wanted.nominalWeight) put(nominal);
      return;
    }
    if (lastWeightOf(key_, actual, lastWeights_) != wanted.nominalWeight) {
      put(nominal);
    } else if (same && actual.weight == 0) {
      return;
    }
    put(EditDestination{actual.address, wanted.path, 0, wanted.thresholds});
  }

  // Puts everything before `kept` at the head, last one first. Each server is taken out and put
  // back in neighbouring operations, so that at any moment at most one is missing, and one that is
  // out is at its nominal weight for the length of one operation only.
  void rebuild(const Present& present, Wanted::const_iterator kept) {
    while (kept != wanted_.destinations.begin()) {
      const auto& [address, wanted] = *--kept;
      if (present.contains(address)) put(DeleteDestination{address});
      put(AddDestination{address, wanted.path, wanted.nominalWeight, wanted.thresholds});
      if (wanted.out) put(EditDestination{address, wanted.path, 0, wanted.thresholds});
    }
  }

  template <typename What>
  void put(What what) {
    operations_.push_back({key_, std::move(what)});
  }

  const ServiceKey& key_;
  const WantedService& wanted_;
  const LastWeights& lastWeights_;
  std::vector<Operation>& operations_;
};

}  // namespace

std::optional<std::uint32_t> lastWeightOf(const ServiceKey& service, const Destination& destination,
                                          const LastWeights& lastWeights) {
  if (destination.weight != 0) return destination.weight;
  const auto found = lastWeights.find({service, destination.address});
  if (found == lastWeights.end()) return std::nullopt;
  return found->second;
}

std::vector<Operation> plan(const ActualTable& actual, const WantedTable& wanted,
                            const LastWeights& lastWeights, std::span<const ServiceKey> remove,
                            const std::set<ServiceKey>& idle) {
  std::vector<Operation> operations;
  for (const auto& key : std::set<ServiceKey>(remove.begin(), remove.end())) {
    if (actual.contains(key) && !wanted.contains(key)) operations.push_back({key, DeleteService{}});
  }
  for (const auto& [key, service] : wanted) {
    ServicePlan servicePlan(key, service, lastWeights, operations);
    const auto found = actual.find(key);
    if (found == actual.end()) {
      servicePlan.create();
    } else {
      servicePlan.change(found->second, idle.contains(key));
    }
  }
  return operations;
}

}  // namespace l4ward::ipvs
