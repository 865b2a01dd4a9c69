#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "ipvs/kernel.h"
#include "ipvs/plan.h"

namespace l4ward::ipvs {
namespace {

using Id = LastWeights::key_type;

// The first entry of `map` that belongs to the service or to one behind it.
template <typename Map>
auto firstOf(Map& map, const ServiceKey& key) {
  return map.lower_bound({key, Endpoint{}});
}

template <typename Map>
bool hasAnyOf(const Map& map, const ServiceKey& key) {
  const auto first = firstOf(map, key);
  return first != map.end() && first->first.first == key;
}

// Follows what the kernel does with weight and last weight (__ip_vs_update_dest in
// net/netfilter/ipvs/ip_vs_ctl.c: an add sets both, an edit to 0 leaves the last weight). Its work
// is in proportion to the operations and to the services that they, or what is known, concern.
class Weights {
 public:
  Weights(const ActualTable& actual, const LastWeights& before,
          std::span<const Operation> operations) {
    for (const auto& operation : operations) {
      std::visit([&](const auto& what) { expect(operation.service, what); }, operation.what);
    }
    for (const auto& [key, service] : actual) {
      if (!hasAnyOf(states_, key) && !hasAnyOf(before, key)) continue;
      for (const auto& destination : service.destinations) begin(key, destination, before);
    }
  }

  void apply(const Operation& operation) {
    std::visit([&](const auto& what) { apply(operation.service, what); }, operation.what);
  }

  // Whether the operation was done is not known.
  void forget(const Operation& operation) {
    std::visit([&](const auto& what) { forget(operation.service, what); }, operation.what);
  }

  LastWeights known() && {
    for (const auto& [id, state] : states_) {
      if (state.weight == 0 && state.last != 0) untouched_.emplace(id, state.last);
    }
    return std::move(untouched_);
  }

 private:
  struct State {
    std::uint32_t weight = 0;
    std::uint32_t last = 0;  // 0: not known
  };

  template <typename What>
  void expect(const ServiceKey& key, const What& what) {
    if constexpr (requires { what.address; }) states_[{key, what.address}] = {};
  }

  void begin(const ServiceKey& key, const Destination& destination, const LastWeights& before) {
    const Id id(key, destination.address);
    const auto touched = states_.find(id);
    if (touched == states_.end() && destination.weight != 0) return;
    const auto found = before.find(id);
    const auto last = found == before.end() ? 0 : found->second;
    if (touched != states_.end()) {
      touched->second = {destination.weight, destination.weight != 0 ? destination.weight : last};
    } else if (last != 0) {
      untouched_.emplace(id, last);
    }
  }

  void apply(const ServiceKey&, const AddService&) {}
  void apply(const ServiceKey&, const EditService&) {}
  void apply(const ServiceKey& key, const DeleteService&) {
    const auto ofService = [&](const auto& entry) { return entry.first.first == key; };
    std::erase_if(states_, ofService);
    std::erase_if(untouched_, ofService);
  }
  void apply(const ServiceKey& key, const AddDestination& add) {
    states_[{key, add.address}] = {add.weight, add.weight};
  }
  void apply(const ServiceKey& key, const EditDestination& edit) {
    auto& state = states_[{key, edit.address}];
    state.weight = edit.weight;
    if (edit.weight != 0) state.last = edit.weight;
  }
  void apply(const ServiceKey& key, const DeleteDestination& remove) {
    states_.erase({key, remove.address});
  }

  template <typename What>
  void forget(const ServiceKey& key, const What& what) {
    if constexpr (requires { what.address; }) {
      states_.erase({key, what.address});
    } else {
      apply(key, what);  // deleting a service forgets it
    }
  }

  std::map<Id, State> states_;  // of destinations that operations are about
  LastWeights untouched_;
};

// Nothing was known, and no destination is left at weight 0 by an operation: the usual build.
bool nothingToKnow(const LastWeights& before, std::span<const Operation> operations) {
  const auto leavesOut = [](const Operation& operation) {
    const auto* edit = std::get_if<EditDestination>(&operation.what);
    return edit && edit->weight == 0;
  };
  return before.empty() && std::none_of(operations.begin(), operations.end(), leavesOut);
}

}  // namespace

LastWeights lastWeightsAfter(const ActualTable& actual, const LastWeights& before,
                             std::span<const Operation> operations) {
  if (nothingToKnow(before, operations)) return {};
  Weights weights(actual, before, operations);
  for (const auto& operation : operations) weights.apply(operation);
  return std::move(weights).known();
}

LastWeights lastWeightsAfter(const ActualTable& actual, const LastWeights& before,
                             std::span<const Operation> operations, const ApplyReport& report) {
  Weights weights(actual, before, operations);
  auto failure = report.failures.begin();
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (failure != report.failures.end() && failure->index == i) {
      ++failure;
      continue;
    }
    if (!report.unknown) weights.apply(operations[i]);
  }
  if (report.unknown) {
    for (const auto& operation : operations) weights.forget(operation);
  }
  return std::move(weights).known();
}

}  // namespace l4ward::ipvs
