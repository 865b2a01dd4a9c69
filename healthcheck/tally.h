// What became of probes, counted; also of those whose outcomes are not told (Job::quietAfter). It
// is kept at each probe's end, so it must cost next to nothing: no allocation, no text.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/histogram.h"
#include "healthcheck/judgement.h"
#include "healthcheck/state.h"

namespace l4ward::healthcheck {

// The ways in which a probe can end, numbered: each answer, failures by their kind.
inline constexpr std::size_t kEndings = 19;

constexpr std::size_t endingOf(Answer answer, FailureKind kind) {
  switch (answer) {
    case Answer::pass:
      return 0;
    case Answer::drain:
      return 1;
    case Answer::silent:
      return 2;
    case Answer::localError:
      return 3;
    case Answer::fail:
      break;
  }
  return 4 + static_cast<std::size_t>(kind);
}
static_assert(endingOf(Answer::fail, FailureKind::local) == kEndings - 1);

// "pass", "drain", "silent", "error", or the failure's kind: "timeout".
std::string_view nameOfEnding(std::size_t ending);

struct Tally {
  std::array<std::uint64_t, kEndings> made{};
  SecondsHistogram latency;
  // The last one's; `at`: when it ended, TimePoint{} if there was none.
  Answer answer = Answer::fail;
  FailureKind kind = FailureKind::none;
  std::chrono::microseconds lastLatency{0};
  TimePoint at{};

  void add(const Judgement& judgement, std::chrono::microseconds took, TimePoint now) {
    answer = judgement.answer;
    kind = judgement.kind;
    lastLatency = took;
    at = now;
    ++made[endingOf(answer, kind)];
    latency.add(std::chrono::duration<double>(took).count());
  }
};

struct Tallies {
  std::unordered_map<std::uint64_t, Tally> jobs;  // by Job::id
  SecondsHistogram lateness;                      // of all probes' starts, also of past jobs
};

}  // namespace l4ward::healthcheck
