#include "ipvs/plan.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

namespace l4ward::ipvs {
namespace {

constexpr std::string_view kNoScheduler = "none";

// Plans one service.
class ServicePlan {
 public:
  ServicePlan(const ServiceKey& key, const WantedService& wanted, const LastWeights& lastWeights,
              std::vector<Operation>& operations)
      : key_(key), wanted_(wanted), lastWeights_(lastWeights), operations_(operations) {}

  void create() {
    ServiceConfig unfilled = wanted_.config;
    unfilled.scheduler = kNoScheduler;
    put(AddService{unfilled});
    rebuild({}, wanted_.destinations.end());
    if (wanted_.config != unfilled) put(EditService{wanted_.config});
  }

  void change(const ActualService& actual) {
    // Flags before weights: a server may only go out once the fallback is on. The scheduler after
    // everything else, since each change under mh builds the whole table.
    const bool newConfig = actual.config != wanted_.config;
    const bool newScheduler = actual.config.scheduler != wanted_.config.scheduler;
    if (newConfig && !newScheduler) put(EditService{wanted_.config});
    changeDestinations(actual);
    if (newScheduler) put(EditService{wanted_.config});
  }

 private:
  using Wanted = std::map<Endpoint, WantedDestination>;
  using Present = std::map<Endpoint, std::size_t>;  // position in the kernel's list

  void changeDestinations(const ActualService& actual) {
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
    const auto nominal = EditDestination{actual.address, wanted.path, wanted.nominalWeight};
    const bool samePath = actual.path == wanted.path;
    if (!wanted.out) {
      if (!samePath || actual.weight != wanted.nominalWeight) put(nominal);
      return;
    }
    if (lastWeight(actual) != wanted.nominalWeight) {
      put(nominal);
    } else if (samePath && actual.weight == 0) {
      return;
    }
    put(EditDestination{actual.address, wanted.path, 0});
  }

  std::optional<std::uint32_t> lastWeight(const Destination& actual) const {
    if (actual.weight != 0) return actual.weight;
    const auto found = lastWeights_.find({key_, actual.address});
    if (found == lastWeights_.end()) return std::nullopt;
    return found->second;
  }

  // Puts everything before `kept` at the head, last one first. Each server is taken out and put
  // back in neighbouring operations, so that at any moment at most one is missing, and one that is
  // out is at its nominal weight for the length of one operation only.
  void rebuild(const Present& present, Wanted::const_iterator kept) {
    while (kept != wanted_.destinations.begin()) {
      const auto& [address, wanted] = *--kept;
      if (present.contains(address)) put(DeleteDestination{address});
      put(AddDestination{address, wanted.path, wanted.nominalWeight});
      if (wanted.out) put(EditDestination{address, wanted.path, 0});
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

std::vector<Operation> plan(const ActualTable& actual, const WantedTable& wanted,
                            const LastWeights& lastWeights, std::span<const ServiceKey> remove) {
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
      servicePlan.change(found->second);
    }
  }
  return operations;
}

}  // namespace l4ward::ipvs
