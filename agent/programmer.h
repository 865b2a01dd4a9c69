// Makes the kernel hold what is wanted, and keeps at it: dump, plan, apply, retry with backoff.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "agent/memory_file.h"
#include "agent/target.h"
#include "base/backoff.h"
#include "ipvs/kernel.h"

namespace l4ward::agent {

class Programmer {
 public:
  // Both must outlive this object.
  Programmer(ipvs::Kernel& kernel, MemoryFile& memory) : kernel_(kernel), memory_(memory) {}

  // Reads what the kernel holds. An error leaves everything as it is.
  Status dump();
  // What the last dump said; empty before the first.
  const ipvs::ActualTable& actual() const { return actual_; }

  // One attempt to make the kernel hold `wanted` (services of nobody's are left alone, see
  // Drains). After a failure nothing is done until nextDue().
  void reconcile(const ipvs::WantedTable& wanted, TimePoint now, Millis drainLimit);

  // As of the last reconcile().
  bool exists(const ipvs::ServiceKey& key) const { return actual_.contains(key); }
  bool isProgrammed(const ipvs::ServiceKey& key) const;

  // When reconcile() must be called again without any news: a retry, a drain, the periodic look
  // for drift.
  TimePoint nextDue() const { return nextDue_; }

 private:
  void adopt(const Target& target);
  bool apply(const std::vector<ipvs::Operation>& operations);
  void report(const std::vector<ipvs::Operation>& operations, const ipvs::ApplyReport& result);

  ipvs::Kernel& kernel_;
  MemoryFile& memory_;
  Drains drains_;
  ipvs::ActualTable actual_;
  std::set<ipvs::ServiceKey> failed_;
  Backoff backoff_{Millis(100), Millis(10000)};
  bool stale_ = true;  // actual_ may differ from the kernel
  std::optional<TimePoint> retryAt_;
  TimePoint dumpDue_{};
  TimePoint nextDue_{};
};

}  // namespace l4ward::agent
