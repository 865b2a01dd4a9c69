#include "tests/fuzz/dialog_checks.h"

namespace l4ward::fuzz {

using healthcheck::Answer;

void agent(Input bytes) {
  static const auto protocol = std::move(healthcheck::agentProtocol({}).value());
  constexpr std::size_t maxLine = 1024;
  const auto answer = textOf(bytes);
  const auto whole = converse(*protocol, answer, answer.size(), answer.size());
  requireProper(whole);
  require(whole.kind == healthcheck::FailureKind::none ||
          whole.kind == healthcheck::FailureKind::reported);
  require(!whole.weight || (*whole.weight > 0 && *whole.weight <= 256));
  require(whole.answer != Answer::silent || !whole.weight);
  require(converse(*protocol, answer, somePoint(answer), answer.size()) == whole);
  require(converse(*protocol, answer, 1, 1) == whole);
  requireBounded(*protocol, answer, maxLine + answer.size());
}

}  // namespace l4ward::fuzz
