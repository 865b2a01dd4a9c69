#include <algorithm>
#include <variant>

#include "ipvs/plan.h"

namespace l4ward::ipvs {
namespace {

// What the kernel does with one operation that succeeds.
class Apply {
 public:
  Apply(ActualTable& table, const ServiceKey& key) : table_(table), key_(key) {}

  void operator()(const AddService& add) const { table_[key_] = {add.config, {}}; }
  void operator()(const EditService& edit) const { table_[key_].config = edit.config; }
  void operator()(const DeleteService&) const { table_.erase(key_); }
  void operator()(const AddDestination& add) const {
    auto& list = table_[key_].destinations;
    list.insert(list.begin(), {add.address, add.path, add.weight, 0, 0, add.thresholds});
  }
  void operator()(const EditDestination& edit) const {
    for (auto& destination : table_[key_].destinations) {
      if (destination.address != edit.address) continue;
      destination.path = edit.path;
      destination.thresholds = edit.thresholds;
      destination.weight = edit.weight;
      return;
    }
  }
  void operator()(const DeleteDestination& remove) const {
    std::erase_if(table_[key_].destinations,
                  [&](const auto& destination) { return destination.address == remove.address; });
  }

 private:
  ActualTable& table_;
  const ServiceKey& key_;
};

}  // namespace

ActualTable tableAfter(ActualTable actual, std::span<const Operation> operations) {
  for (const auto& operation : operations)
    std::visit(Apply(actual, operation.service), operation.what);
  return actual;
}

}  // namespace l4ward::ipvs
