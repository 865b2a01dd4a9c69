// What must hold of a healthcheck::Dialog, whatever a server sends.
#pragma once

#include <optional>
#include <string_view>

#include "healthcheck/protocol.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace l4ward::fuzz {

inline std::string_view textOf(Input bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Fed in pieces of `piece` bytes behind a first one of `first`, then closed.
inline healthcheck::Judgement converse(const healthcheck::Protocol& protocol,
                                       std::string_view answer, std::size_t first,
                                       std::size_t piece) {
  const auto dialog = protocol.begin();
  for (auto size = first; !answer.empty(); size = piece) {
    const auto now = answer.substr(0, size);
    if (!now.empty()) {
      if (auto judgement = dialog->receive(now)) return *judgement;
    }
    answer.remove_prefix(now.size());
  }
  return dialog->end();
}

// A point of the answer that follows from its bytes, so that a finding can be repeated.
inline std::size_t somePoint(std::string_view answer) {
  std::size_t sum = 0;
  for (const char c : answer) sum = sum * 31 + static_cast<unsigned char>(c);
  return answer.empty() ? 0 : sum % answer.size();
}

// Reasons are one short line.
inline void requireProper(const healthcheck::Judgement& judgement) {
  require(!judgement.reason.empty() && judgement.reason.size() <= 200);
  for (const char c : judgement.reason) require(c >= ' ' && c <= '~');
  require(judgement.answer != healthcheck::Answer::localError);
  require((judgement.kind != healthcheck::FailureKind::none) ==
          (judgement.answer == healthcheck::Answer::fail));
}

// An answer that goes on for ever is judged after `limit` bytes: what the dialog holds is bounded.
inline void requireBounded(const healthcheck::Protocol& protocol, std::string_view answer,
                           std::size_t limit) {
  if (answer.empty()) return;
  const auto dialog = protocol.begin();
  while (dialog->received() <= limit) {
    if (dialog->receive(answer)) return;
  }
  require(false);
}

}  // namespace l4ward::fuzz
