// `drain --wait`: until no connections are left.
#pragma once

#include <functional>
#include <optional>
#include <ostream>

#include "base/clock.h"
#include "control/ctl/text.h"
#include "control/override.h"
#include "control/request.h"

namespace l4ward::ctl {

// Time, the agent and the terminal, so that tests can bring their own.
struct WaitWorld {
  std::function<control::Reply(const control::Request&)> ask;
  std::function<TimePoint()> now;
  std::function<bool(Millis)> pause;  // false: the user wants to stop (^C)
  std::ostream& out;
  bool live = false;  // one line that changes; otherwise a line each time
};

struct WaitFor {
  control::Subject subject;
  control::Action action = control::Action::drain;
  double since = 0;  // what the kernel's counters said before this (seconds since 1970) is old
  Millis limit{0};
};

enum class WaitEnd { empty, limit, interrupted };
struct Waited {
  WaitEnd end = WaitEnd::empty;
  std::optional<std::uint64_t> left;  // as seen last
  Millis took{0};
};

// Looks every second and tells what is left on `world.out`. A refusal if the agent cannot be asked
// for longer than half a minute.
tl::expected<Waited, control::Refusal> waitUntilEmpty(const WaitFor& what, const WaitWorld& world);

// The sentence at the end: "lb7-1 is empty after 2m", with what to do next.
std::string waitText(const WaitFor& what, const Waited& waited);

}  // namespace l4ward::ctl
