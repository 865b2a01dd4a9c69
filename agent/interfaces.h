// The running kernel's interfaces, for Vips.
#pragma once

#include <optional>
#include <string>

#include "agent/addresses.h"
#include "agent/local_routes.h"
#include "agent/vips.h"

namespace l4ward::agent {

class KernelInterfaces final : public Interfaces {
 public:
  Status ensureInterface(const std::string& name) override;
  Result<std::set<Prefix>> list(const std::string& name) override;
  Status add(const std::string& name, const Prefix& vip) override;
  Status remove(const std::string& name, const Prefix& vip) override;

 private:
  // Opened when first needed, and again after an error.
  std::optional<Addresses> addresses_;
  std::optional<LocalRoutes> ranges_;
};

}  // namespace l4ward::agent
