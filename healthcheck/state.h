// What a series of probe results says about a server. Pure: no clock, no I/O.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace l4ward::healthcheck {

// A probe's answer. `localError`: the probe could not be made for a reason on this node (no route,
// no descriptors, no such device or address, no permission); it says nothing about the server.
// `silent`: whoever was asked said nothing about it (an agent that is not reached).
enum class Answer : std::uint8_t { pass, drain, fail, localError, silent };

// Which way a probe failed; `none` unless the answer is fail or localError.
enum class FailureKind : std::uint8_t {
  none,
  timeout,
  refused,
  reset,
  unreachable,
  badStatus,
  badResponse,
  tooLarge,
  closed,
  mismatch,  // a proper answer that does not say what was expected
  tls,
  reported,  // said in so many words, by an agent, a program or a file
  tunnel,    // not through the tunnel, though the server answers beside it
  mtu,       // small packets only
  local
};
std::string_view toString(FailureKind kind);

struct Outcome {
  std::uint64_t target = 0;  // Job::id
  Answer answer = Answer::fail;
  FailureKind kind = FailureKind::none;
  std::string reason = {};   // for people: "status 503, expected 200", "no answer within 1s"
  std::string warning = {};  // of what is still well: "certificate expires in 6 days"
  std::optional<unsigned> weight = {};  // an agent's, per cent of the configured one
  std::chrono::microseconds latency{0};
  std::chrono::microseconds late{0};  // from the planned start to the real one
  TimePoint at{};                     // when the probe ended
};

enum class Health : std::uint8_t { unknown, up, drain, down };
std::string_view toString(Health health);

struct Policy {
  unsigned rise = 2;  // >= 1 passes in a row bring a server up
  unsigned fall = 3;  // >= 1 failures in a row take it down
  bool operator==(const Policy&) const = default;
};

struct State {
  Health health = Health::unknown;
  // Where the current run of contrary answers leads, and how many were seen. streak == 0: settled,
  // toward == health.
  Health toward = Health::unknown;
  unsigned streak = 0;
  // Some probe's answer has confirmed `health`: it is a verdict and not an assumption.
  bool verified = false;
  // The last probe could not be made.
  bool localError = false;

  bool pending() const { return streak != 0; }
  bool operator==(const State&) const = default;

  // The state to go on from when a restarted agent finds the server in the kernel's table; up to
  // `rise`/`fall` contrary answers are needed to leave it, as for any settled state.
  static State assumed(Health health) { return {health, health, 0, false, false}; }
};

struct Step {
  State state;
  bool changed = false;  // health differs from before
  bool verdict = false;  // verified became true
};

// The state after one more answer. From `unknown` the first definite answer decides, and silence is
// up. A local error changes nothing but `localError`, silence later on nothing at all. A contrary
// answer (say fail while up) counts towards rise or fall; going to drain, or from drain to up,
// takes `rise`; going down takes `fall`; an answer that agrees with `health` ends the run. A
// different contrary answer starts it anew, but while up, where drain and fail are one run that
// ends in the state of its last answer: a server that gives them in turns is not up.
Step step(const State& state, Answer answer, const Policy& policy);

}  // namespace l4ward::healthcheck
