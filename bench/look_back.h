// Rise and fall told from the last answers themselves: a second opinion on healthcheck::step(),
// which counts. Simple, and slower.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "healthcheck/state.h"

namespace l4ward::bench {

class LookBack {
 public:
  static constexpr std::size_t kept = 8;  // no fewer than rise and fall

  // The health after one more answer of an HTTP probe: pass, drain, fail or localError.
  healthcheck::Health after(healthcheck::Answer answer, const healthcheck::Policy& policy) {
    using healthcheck::Answer;
    using healthcheck::Health;
    if (answer == Answer::localError) return health_;
    if (answers_.size() == kept) answers_.erase(answers_.begin());
    answers_.push_back(answer);

    const auto lastAre = [&](unsigned n, auto&& alike) {
      return answers_.size() >= n && std::all_of(answers_.end() - n, answers_.end(), alike);
    };
    const auto isLast = [&](Answer a) { return a == answer; };
    const auto isNoPass = [](Answer a) { return a != Answer::pass; };
    const Health says = answer == Answer::pass    ? Health::up
                        : answer == Answer::drain ? Health::drain
                                                  : Health::down;
    const unsigned needed = says == Health::down ? policy.fall : policy.rise;
    const bool leaves = health_ == Health::unknown ||
                        (health_ == Health::up && says != Health::up ? lastAre(needed, isNoPass)
                                                                     : lastAre(needed, isLast));
    if (leaves) health_ = says;
    return health_;
  }

  // The oldest first: "pass drain fail".
  std::string history() const {
    std::string text;
    for (const auto answer : answers_) {
      text += text.empty() ? "" : " ";
      text += answer == healthcheck::Answer::pass    ? "pass"
              : answer == healthcheck::Answer::drain ? "drain"
                                                     : "fail";
    }
    return text;
  }

 private:
  healthcheck::Health health_ = healthcheck::Health::unknown;
  std::vector<healthcheck::Answer> answers_;
};

}  // namespace l4ward::bench
