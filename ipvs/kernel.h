// The kernel's side of IPVS: netlink in the product, an in-memory model in tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ipvs/plan.h"
#include "ipvs/types.h"

namespace l4ward::ipvs {

struct OperationFailure {
  std::size_t index = 0;  // into the operations given
  Error error;            // code: the kernel's errno
};

struct ApplyReport {
  std::size_t applied = 0;
  std::vector<OperationFailure> failures;  // ordered by index
  // The channel broke (timeout, overrun): what was done is unknown; dump again. What is in
  // `failures` may have been done nevertheless.
  bool unknown = false;
};

// lastWeightsAfter() for operations that were applied with `report`, whose failures are ordered by
// index: a failed one was not done; of an `unknown` one nothing is known, which makes the next plan
// set the weights in question again.
LastWeights lastWeightsAfter(const ActualTable& actual, const LastWeights& before,
                             std::span<const Operation> operations, const ApplyReport& report);

class Kernel {
 public:
  virtual ~Kernel() = default;

  // Everything IPVS holds in this network namespace, foreign services too.
  virtual Result<ActualTable> dump() = 0;

  // The same of these services only; those that do not exist are not in the result.
  virtual Result<ActualTable> dump(std::span<const ServiceKey> services) = 0;

  // Applies in order; goes on behind a failed operation. Blocks at most a bounded time.
  virtual ApplyReport apply(std::span<const Operation> operations) = 0;
};

}  // namespace l4ward::ipvs
