#include "healthcheck/state.h"

namespace l4ward::healthcheck {
namespace {

// What an answer says about a server; not for localError and silent, which say nothing.
Health impliedBy(Answer answer) {
  if (answer == Answer::pass) return Health::up;
  return answer == Answer::drain ? Health::drain : Health::down;
}

Step settle(const State& before, Health health) {
  const State after{health, health, 0, true, false};
  return {after, health != before.health, !before.verified};
}

}  // namespace

std::string_view toString(FailureKind kind) {
  switch (kind) {
    case FailureKind::none:
      return "none";
    case FailureKind::timeout:
      return "timeout";
    case FailureKind::refused:
      return "refused";
    case FailureKind::reset:
      return "reset";
    case FailureKind::unreachable:
      return "unreachable";
    case FailureKind::badStatus:
      return "bad-status";
    case FailureKind::badResponse:
      return "bad-response";
    case FailureKind::tooLarge:
      return "too-large";
    case FailureKind::closed:
      return "closed";
    case FailureKind::mismatch:
      return "mismatch";
    case FailureKind::tls:
      return "tls";
    case FailureKind::reported:
      return "reported";
    case FailureKind::tunnel:
      return "tunnel";
    case FailureKind::mtu:
      return "mtu";
    case FailureKind::local:
      return "local";
  }
  return "?";
}

std::string_view toString(Health health) {
  switch (health) {
    case Health::unknown:
      return "unknown";
    case Health::up:
      return "up";
    case Health::drain:
      return "drain";
    case Health::down:
      return "down";
  }
  return "?";
}

Step step(const State& state, Answer answer, const Policy& policy) {
  if (answer == Answer::localError) {
    State after = state;
    after.localError = true;
    return {after, false, false};
  }
  if (answer == Answer::silent) {
    if (state.health == Health::unknown) return settle(state, Health::up);
    State after = state;
    after.localError = false;
    return {after, false, false};
  }
  const Health says = impliedBy(answer);
  if (state.health == Health::unknown || says == state.health) return settle(state, says);

  // While up, "drain" and "fail" are one run: a server that gives them in turns is not up.
  const bool sameRun = state.streak > 0 && (state.toward == says || state.health == Health::up);
  const unsigned streak = sameRun ? state.streak + 1 : 1;
  const unsigned needed = says == Health::down ? policy.fall : policy.rise;
  if (streak >= needed) return settle(state, says);
  return {State{state.health, says, streak, state.verified, false}, false, false};
}

}  // namespace l4ward::healthcheck
