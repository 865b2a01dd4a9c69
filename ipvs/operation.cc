#include <string>
#include <variant>

#include "ipvs/plan.h"

namespace l4ward::ipvs {
namespace {

struct Describe {
  std::string operator()(const AddService& add) const { return "add service " + add.config.str(); }
  std::string operator()(const EditService& edit) const {
    return "edit service " + edit.config.str();
  }
  std::string operator()(const DeleteService&) const { return "delete service"; }
  std::string operator()(const AddDestination& add) const { return "add " + destination(add); }
  std::string operator()(const EditDestination& edit) const { return "edit " + destination(edit); }
  std::string operator()(const DeleteDestination& remove) const {
    return "delete " + remove.address.str();
  }

  template <typename Change>
  static std::string destination(const Change& change) {
    return change.address.str() + " weight " + std::to_string(change.weight) + " " +
           change.path.str() + change.thresholds.str();
  }
};

}  // namespace

std::string Operation::str() const {
  return service.str() + ": " + change();
}

std::string Operation::change() const {
  return std::visit(Describe{}, what);
}

}  // namespace l4ward::ipvs
