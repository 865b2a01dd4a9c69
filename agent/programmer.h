// Makes the kernel hold what is wanted, and keeps at it: dump, plan, apply, verify, retry with
// backoff. A service that the kernel refuses does not hold up the others.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/memory_file.h"
#include "agent/target.h"
#include "base/backoff.h"
#include "ipvs/kernel.h"

namespace l4ward::agent {

class Programmer {
 public:
  struct Periods {
    Millis drainLimit{300000};
    Millis drift{30000};  // from one look at the whole kernel to the next
  };

  // Both must outlive this object. Whoever wants a service has put it into the memory's `owned`.
  // `observe`: what would be done is only planned, for pending().
  Programmer(ipvs::Kernel& kernel, MemoryFile& memory, bool observe = false)
      : kernel_(kernel), memory_(memory), observe_(observe) {}

  // Reads what the kernel holds. An error leaves everything as it is.
  Status dump();
  // What the kernel holds as far as is known; empty before the first dump.
  const ipvs::ActualTable& actual() const { return actual_; }

  struct Wishes {
    ipvs::WantedTable table;
    std::set<ipvs::ServiceKey> idle = {};  // as for ipvs::plan()
    std::set<ipvs::ServiceKey> gone = {};  // to be deleted at once, with whatever they hold
  };

  // One attempt to make the kernel hold what is wanted (services of nobody's are left alone, see
  // Drains). What fails is tried again at nextDue().
  void reconcile(Wishes wanted, TimePoint now, const Periods& periods);

  // The next reconcile() looks at the whole kernel, whatever the period, and retries at once.
  void resync();

  // As of the last reconcile().
  bool exists(const ipvs::ServiceKey& key) const { return actual_.contains(key); }
  bool isProgrammed(const ipvs::ServiceKey& key) const;
  // What one that observes would do now; without drains, which take their time.
  const std::vector<ipvs::Operation>& pending() const { return pending_; }
  // Differences that others had made, since the start.
  std::uint64_t driftFound() const { return driftFound_; }

  // When reconcile() must be called again without any news: a retry, a drain, the periodic look
  // for drift.
  TimePoint nextDue() const { return nextDue_; }

 private:
  // A service that the kernel refused, or did not take as it was told.
  struct Trouble {
    Backoff backoff{Millis(100), Millis(10000)};
    TimePoint retryAt{};
  };
  using Operations = std::vector<ipvs::Operation>;

  Status look(TimePoint now, const Periods& periods);
  void planOnly(const Wishes& wishes);
  void forgetGone(const Target& target);
  void withhold(Target& target, TimePoint now) const;
  // The services that the kernel refused. Nothing: what it holds is not known.
  std::optional<std::set<ipvs::ServiceKey>> apply(const Operations& operations);
  bool verify(const Operations& operations, std::set<ipvs::ServiceKey> doubtful);
  void noteTroubles(const Operations& operations, const std::set<ipvs::ServiceKey>& failed,
                    TimePoint now);
  std::set<ipvs::ServiceKey> notTaken(const Target& target, const Operations& operations,
                                      std::set<ipvs::ServiceKey> failed) const;
  void report(const Operations& operations, const ipvs::ApplyReport& result) const;
  TimePoint earliest(TimePoint now) const;

  ipvs::Kernel& kernel_;
  MemoryFile& memory_;
  bool observe_;
  Operations pending_;
  std::set<ipvs::ServiceKey> differing_;  // the services of pending_
  Drains drains_;
  ipvs::ActualTable actual_;
  std::map<ipvs::ServiceKey, Trouble> troubles_;
  Backoff backoff_{Millis(100), Millis(10000)};
  bool known_ = false;                // actual_ is what was read or done
  bool fresh_ = false;                // and what was read just now
  std::optional<TimePoint> retryAt_;  // the channel to the kernel broke
  std::uint64_t driftFound_ = 0;
  TimePoint lookDue_{};
  TimePoint nextDue_{};
};

}  // namespace l4ward::agent
