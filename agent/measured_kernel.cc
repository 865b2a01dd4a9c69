#include "agent/measured_kernel.h"

#include <chrono>

#include "base/clock.h"

namespace l4ward::agent {

ipvs::ApplyReport MeasuredKernel::apply(std::span<const ipvs::Operation> operations) {
  const auto start = Clock::now();
  auto report = kernel_.apply(operations);
  work_.applySeconds.add(std::chrono::duration<double>(Clock::now() - start).count());
  work_.planOperations.add(static_cast<double>(operations.size()));
  work_.operations += operations.size();
  work_.failed += report.failures.size();
  return report;
}

}  // namespace l4ward::agent
