// Exponential backoff for every retry loop: initial, doubled each time up to the limit.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace l4ward {

class Backoff {
 public:
  // 0 < initial <= limit
  constexpr Backoff(Millis initial, Millis limit) : initial_(initial), limit_(limit) {}

  // How long to wait before the next try.
  constexpr Millis next() {
    const Millis wait = next_ == Millis::zero() ? initial_ : next_;
    next_ = std::min(wait * 2, limit_);
    return wait;
  }
  constexpr void reset() { next_ = Millis::zero(); }

 private:
  Millis initial_;
  Millis limit_;
  Millis next_{0};
};

}  // namespace l4ward
