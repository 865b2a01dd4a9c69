// Another kernel, and what was done to it: how often, how much, how long it took.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/histogram.h"
#include "ipvs/kernel.h"

namespace l4ward::agent {

inline constexpr std::array<double, 13> kOperationsBounds{1,   2,   5,    10,   20,   50,   100,
                                                          200, 500, 1000, 2000, 5000, 10000};

class MeasuredKernel final : public ipvs::Kernel {
 public:
  // `kernel` must outlive it.
  explicit MeasuredKernel(ipvs::Kernel& kernel) : kernel_(kernel) {}

  Result<ipvs::ActualTable> dump() override { return kernel_.dump(); }
  Result<ipvs::ActualTable> dump(std::span<const ipvs::ServiceKey> services) override {
    return kernel_.dump(services);
  }
  ipvs::ApplyReport apply(std::span<const ipvs::Operation> operations) override;

  struct Work {
    std::uint64_t operations = 0;
    std::uint64_t failed = 0;
    SecondsHistogram applySeconds;
    Histogram<kOperationsBounds> planOperations;
  };
  const Work& work() const { return work_; }

 private:
  ipvs::Kernel& kernel_;
  Work work_;
};

}  // namespace l4ward::agent
