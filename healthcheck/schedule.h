// When probes start. Pure: no clock, no timers.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "healthcheck/job.h"

namespace l4ward::healthcheck {

// A hash of what is probed (not of the id, the timing or the order of the site file): equal on all
// nodes, builds and runs. FNV-1a, with a final mix.
std::uint64_t identity(const Probe& probe);

// How long each of the jobs that start together waits for its first probe, in the order given.
// The jobs are ranked by identity and the ranks spread evenly over the first second, or over the
// job's interval if that is shorter. The first in rank waits 0: a single job starts at once.
std::vector<Clock::duration> firstDelays(const std::vector<Job>& jobs);

// How often a job's probe is made: by its interval, its fastInterval or its downInterval.
enum class Pace : std::uint8_t { normal, fast, down };
Millis currentInterval(const Job& job, Pace pace);

// The interval, up to a sixteenth longer or shorter: nodes and jobs that happen to fall into step
// fall out of it again. `random`: any number.
Clock::duration jittered(Millis interval, std::uint32_t random);

// When the probe behind the one planned at `planned` starts, asked at `now`, when that one has
// ended: `planned` + interval, so that lateness never adds up. A probe that took longer than the
// interval (the fast one may be shorter than the timeout) is followed at once by one, not by all
// that it held up. Whoever is later than the longest probe explains, missed whole turns because
// the thread or node stood still, waits for the next turn of its rhythm: those jobs do not all
// start together then.
//
// `planned` + interval is moved to the nearest of the moments, `step` apart (a power of two of
// milliseconds, from startStep()), that all jobs share; not by more than a 64th of the interval.
// This is less than the jitter, and 0 on average.
TimePoint nextStart(TimePoint planned, Clock::duration interval, Millis timeout, TimePoint now,
                    Millis step);

// How far apart the moments are at which probes start: 16 ms, or less where more than about two of
// these jobs would be due at each. Probes that start together wake the thread once, not once each,
// which costs as much as a quarter of a probe; more of them would only wait for each other.
Millis startStep(const std::vector<Job>& jobs);

// Whether a deadline that was noticed `late` says more about this node than about the server: the
// thread or the node stood still for over a second, and longer than the probe would have lasted.
// Not less: a node that is merely busy must still find dead servers.
bool stoodStill(Clock::duration late, Millis timeout);

// A timer for a start planned at `due` fired at `now`: `due` if the probe shall start, else the
// turn to wait for. The latter when at least one whole interval was missed.
TimePoint startOrSkip(TimePoint due, Millis interval, TimePoint now);

}  // namespace l4ward::healthcheck
