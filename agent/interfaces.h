// The running kernel's interfaces, for Vips.
#pragma once

#include <optional>
#include <string>

#include "agent/addresses.h"
#include "agent/vips.h"

namespace l4ward::agent {

class KernelInterfaces final : public Interfaces {
 public:
  Status ensureInterface(const std::string& name) override;
  Result<std::set<IpAddress>> addresses(const std::string& name) override;
  Status add(const std::string& name, const IpAddress& address) override;
  Status remove(const std::string& name, const IpAddress& address) override;

 private:
  // Opened when first needed, and again after an error.
  template <typename Call>
  auto with(const Call& call) -> decltype(call(std::declval<const Addresses&>()));

  std::optional<Addresses> netlink_;
};

}  // namespace l4ward::agent
