#include <string>

#include "healthcheck/http_response.h"
#include "tests/fuzz/dialog_checks.h"

namespace l4ward::fuzz {
namespace {

using healthcheck::Answer;
using healthcheck::HttpProbe;

const std::vector<std::unique_ptr<healthcheck::Protocol>>& protocols() {
  static const auto all = [] {
    std::vector<std::unique_ptr<healthcheck::Protocol>> made;
    for (const auto& probe : {HttpProbe{.drain = {{404, 404}}}, HttpProbe{.method = "HEAD"},
                              HttpProbe{.body = healthcheck::Expectation{"ready", false}},
                              HttpProbe{.body = healthcheck::Expectation{"^re+ad[yi]$", true}}}) {
      made.push_back(std::move(healthcheck::httpProtocol(probe, {}).value()));
    }
    return made;
  }();
  return all;
}

// What is wrong with a malformed answer may depend on how it comes (a broken header is noticed at
// once, or when it is complete or cut off), but not that it fails.
void requireSame(const healthcheck::Judgement& whole, const healthcheck::Judgement& pieces) {
  require(whole.answer == pieces.answer);
  require(whole.answer == Answer::fail || whole == pieces);
}

}  // namespace

void http(Input bytes) {
  constexpr std::size_t limit = (healthcheck::maxInterimAnswers + 2) * healthcheck::maxHeaderBytes +
                                healthcheck::maxBodyBytes;
  const auto answer = textOf(bytes);
  for (const auto& protocol : protocols()) {
    const auto whole = converse(*protocol, answer, answer.size(), answer.size());
    requireProper(whole);
    require(whole.answer != Answer::silent && !whole.weight);
    requireSame(whole, converse(*protocol, answer, somePoint(answer), answer.size()));
    requireSame(whole, converse(*protocol, answer, 1, 1));
    requireBounded(*protocol, answer, limit + answer.size());
  }
}

}  // namespace l4ward::fuzz
