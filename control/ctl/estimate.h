// How many connections are left while something drains, and how long that may take. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/override.h"
#include "control/status.h"

namespace l4ward::ctl {

struct Sample {
  double at = 0;  // seconds, when the kernel was asked
  std::uint64_t active = 0;
  std::uint64_t closing = 0;  // IPVS' inactive ones
  // The kernel gives the subject nothing new: what is left can only become less. Of a virtual IP,
  // a service or the node, whose clients the routers lead away, it is always true.
  bool settled = true;

  std::uint64_t left() const { return active + closing; }
};

// Over all destinations of the subject; nothing if the kernel's counters could not be read.
std::optional<Sample> sampleOf(const control::NodeStatus& status, const control::Subject& subject);

// Seconds until the last one ends, if they go on to end as they did: connections whose lengths have
// no memory become less by exponential decay, n(t) = n(0) e^(-kt), and a line is fitted to the
// logarithms. `samples`: oldest first. Nothing if they are too few or do not become less.
std::optional<double> secondsLeft(const std::vector<Sample>& samples);

}  // namespace l4ward::ctl
