#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "ipvs/kernel.h"
#include "ipvs/plan.h"

namespace l4ward::ipvs {
namespace {

// Follows what the kernel does with weight and last weight (__ip_vs_update_dest in
// net/netfilter/ipvs/ip_vs_ctl.c: an add sets both, an edit to 0 leaves the last weight).
class Weights {
 public:
  Weights(const ActualTable& actual, const LastWeights& before) {
    for (const auto& [key, service] : actual) {
      for (const auto& destination : service.destinations) {
        const std::pair id(key, destination.address);
        auto last = destination.weight;
        if (last == 0) {
          const auto found = before.find(id);
          if (found != before.end()) last = found->second;
        }
        states_[id] = {destination.weight, last};
      }
    }
  }

  void apply(const Operation& operation) {
    std::visit([&](const auto& what) { apply(operation.service, what); }, operation.what);
  }

  // Whether the operation was done is not known.
  void forget(const Operation& operation) {
    std::visit([&](const auto& what) { forget(operation.service, what); }, operation.what);
  }

  LastWeights known() const {
    LastWeights result;
    for (const auto& [id, state] : states_) {
      if (state.weight == 0 && state.last != 0) result.emplace(id, state.last);
    }
    return result;
  }

 private:
  struct State {
    std::uint32_t weight = 0;
    std::uint32_t last = 0;  // 0: not known
  };

  void apply(const ServiceKey&, const AddService&) {}
  void apply(const ServiceKey&, const EditService&) {}
  void apply(const ServiceKey& key, const DeleteService&) {
    std::erase_if(states_, [&](const auto& entry) { return entry.first.first == key; });
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

  std::map<std::pair<ServiceKey, Endpoint>, State> states_;
};

}  // namespace

LastWeights lastWeightsAfter(const ActualTable& actual, const LastWeights& before,
                             std::span<const Operation> operations) {
  Weights weights(actual, before);
  for (const auto& operation : operations) weights.apply(operation);
  return weights.known();
}

LastWeights lastWeightsAfter(const ActualTable& actual, const LastWeights& before,
                             std::span<const Operation> operations, const ApplyReport& report) {
  Weights weights(actual, before);
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
  return weights.known();
}

}  // namespace l4ward::ipvs
