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
  std::string operator()(const AddDestination& add) const {
    return "add " + destination(add.address, add.weight, add.path);
  }
  std::string operator()(const EditDestination& edit) const {
    return "edit " + destination(edit.address, edit.weight, edit.path);
  }
  std::string operator()(const DeleteDestination& remove) const {
    return "delete " + remove.address.str();
  }

  static std::string destination(const Endpoint& address, std::uint32_t weight, const Path& path) {
    return address.str() + " weight " + std::to_string(weight) + " " + path.str();
  }
};

}  // namespace

std::string Operation::str() const {
  return service.str() + ": " + std::visit(Describe{}, what);
}

}  // namespace l4ward::ipvs
