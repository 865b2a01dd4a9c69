// What one probe says, before it is known whose and when: Outcome without target and time.
#pragma once

#include <string>

#include "healthcheck/state.h"

namespace l4ward::healthcheck {

struct Judgement {
  Answer answer = Answer::fail;
  FailureKind kind = FailureKind::none;
  std::string reason;
  bool operator==(const Judgement&) const = default;
};

inline Judgement failed(FailureKind kind, std::string reason) {
  return {Answer::fail, kind, std::move(reason)};
}

inline Judgement notMade(std::string reason) {
  return {Answer::localError, FailureKind::local, std::move(reason)};
}

}  // namespace l4ward::healthcheck
