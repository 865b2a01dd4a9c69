// The kernel's edges for an agent that observes: they read, and refuse to write. Such an agent does
// not try to; that it cannot is held here.
#pragma once

#include <cerrno>
#include <memory>
#include <span>
#include <utility>

#include "agent/vips.h"
#include "ipvs/globals.h"
#include "ipvs/kernel.h"

namespace l4ward::agent {

inline constexpr const char* kObserves = "an agent that observes changes nothing";

template <typename Operation>
ipvs::ApplyReport refuseAll(std::span<const Operation> operations) {
  ipvs::ApplyReport report;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    report.failures.push_back({i, {kObserves, EPERM}});
  }
  return report;
}

class ReadOnlyKernel final : public ipvs::Kernel {
 public:
  explicit ReadOnlyKernel(std::unique_ptr<ipvs::Kernel> kernel) : kernel_(std::move(kernel)) {}

  Result<ipvs::ActualTable> dump() override { return kernel_->dump(); }
  Result<ipvs::ActualTable> dump(std::span<const ipvs::ServiceKey> services) override {
    return kernel_->dump(services);
  }
  ipvs::ApplyReport apply(std::span<const ipvs::Operation> operations) override {
    return refuseAll(operations);
  }

 private:
  std::unique_ptr<ipvs::Kernel> kernel_;
};

class ReadOnlyGlobals final : public ipvs::GlobalsKernel {
 public:
  explicit ReadOnlyGlobals(std::unique_ptr<ipvs::GlobalsKernel> kernel)
      : kernel_(std::move(kernel)) {}

  Result<ipvs::Globals> dump() override { return kernel_->dump(); }
  ipvs::ApplyReport apply(std::span<const ipvs::GlobalsOperation> operations) override {
    return refuseAll(operations);
  }

 private:
  std::unique_ptr<ipvs::GlobalsKernel> kernel_;
};

class ReadOnlyInterfaces final : public Interfaces {
 public:
  explicit ReadOnlyInterfaces(std::unique_ptr<Interfaces> interfaces)
      : interfaces_(std::move(interfaces)) {}

  Status ensureInterface(const std::string&) override { return refuse(); }
  Result<std::set<Prefix>> list(const std::string& name) override {
    return interfaces_->list(name);
  }
  Status add(const std::string&, const Prefix&) override { return refuse(); }
  Status remove(const std::string&, const Prefix&) override { return refuse(); }

 private:
  static Status refuse() { return fail(kObserves, EPERM); }
  std::unique_ptr<Interfaces> interfaces_;
};

}  // namespace l4ward::agent
