// What one probe says, before it is known whose and when: Outcome without target and time.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "healthcheck/state.h"

namespace l4ward::healthcheck {

struct Judgement {
  Answer answer = Answer::fail;
  FailureKind kind = FailureKind::none;
  std::string reason;
  std::string warning = {};             // "certificate expires in 6 days"
  std::optional<unsigned> weight = {};  // per cent of the configured one: an agent's
  bool operator==(const Judgement&) const = default;
};

inline Judgement passed(std::string reason) {
  return {Answer::pass, FailureKind::none, std::move(reason), {}, {}};
}

inline Judgement failed(FailureKind kind, std::string reason) {
  return {Answer::fail, kind, std::move(reason), {}, {}};
}

inline Judgement notMade(std::string reason) {
  return {Answer::localError, FailureKind::local, std::move(reason), {}, {}};
}

}  // namespace l4ward::healthcheck
