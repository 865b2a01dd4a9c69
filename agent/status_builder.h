// From the agent's state to what a node shows. Pure, and not for the loop: with thousands of
// servers it takes a while.
#pragma once

#include <string>

#include "agent/process_state.h"
#include "agent/snapshot.h"
#include "base/histogram.h"
#include "control/status.h"
#include "healthcheck/tally.h"
#include "ipvs/statistics.h"

namespace l4ward::agent {

// All but what is read elsewhere: probes' counts (addTallies), the kernel's counters
// (addStatistics), Maglev tables (Shares), and alarms (alarmsOf), which are made of the rest.
control::NodeStatus statusOf(const Snapshot& snapshot, const ProcessState& process);

// Counts of probes, and each check's last result. `snapshot`: the one that `status` is of.
void addTallies(control::NodeStatus& status, const Snapshot& snapshot,
                const healthcheck::Tallies& tallies);

// The kernel's counters, read at `at` (seconds since 1970). What they do not know of stays at 0.
void addStatistics(control::NodeStatus& status, const ipvs::Statistics& statistics, double at);
// Servers' connections: the sum over their destinations.
void addConnections(control::NodeStatus& status);

// Of an agent that observes. `slots`: of this kernel's Maglev tables; 0: not known.
void addDifferences(control::NodeStatus& status, const Snapshot& snapshot, std::size_t slots);

// A check's id as control::Check has it.
std::string checkId(CheckId id);

// With counts that add up.
template <const auto& kBounds>
control::Histogram toControl(const Histogram<kBounds>& histogram) {
  control::Histogram out;
  out.bounds.assign(kBounds.begin(), kBounds.end());
  out.sum = histogram.sum;
  std::uint64_t count = 0;
  for (const auto in : histogram.counts) out.counts.push_back(count += in);
  return out;
}

}  // namespace l4ward::agent
