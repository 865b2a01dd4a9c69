// Keeps IPVS's timeouts and synchronisation daemons as the site file wants them.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "agent/memory_file.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "config/site.h"
#include "ipvs/globals.h"

namespace l4ward::agent {

// What the site file says of them.
ipvs::Globals wantedGlobals(const config::Ipvs& site);

class GlobalsKeeper {
 public:
  // Both must outlive this object. `observe`: what would be done is only planned, for pending().
  GlobalsKeeper(ipvs::GlobalsKernel& kernel, MemoryFile& memory, bool observe = false)
      : kernel_(kernel), memory_(memory), observe_(observe) {}

  // Looks at the kernel, once a `period` as long as nothing lacks, and changes what differs. Does
  // nothing at all if nothing is wanted and nothing is ours. Returns when to call it again.
  TimePoint reconcile(const ipvs::Globals& wanted, TimePoint now, Millis period);
  // The next reconcile() looks, whatever the period.
  void resync() { lookDue_ = {}; }
  const std::vector<ipvs::GlobalsOperation>& pending() const { return pending_; }

 private:
  bool attempt();
  void complain(const std::string& what);

  ipvs::GlobalsKernel& kernel_;
  MemoryFile& memory_;
  bool observe_;
  std::vector<ipvs::GlobalsOperation> pending_;
  ipvs::Globals wanted_;
  Backoff backoff_{Millis(1000), Millis(30000)};
  TimePoint lookDue_{};
  std::set<std::string> complained_;  // since it last was well
};

}  // namespace l4ward::agent
