// Time: one steady clock for deadlines, and durations with units as people write them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace l4ward {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Millis = std::chrono::milliseconds;

// "500ms", "2s", "5m", "1h": a whole number and a unit, nothing else; at most 365 days.
Result<Millis> parseDuration(std::string_view text);
// The shortest text that parseDuration reads back: "1500ms", "2s", "5m".
std::string formatDuration(Millis duration);

}  // namespace l4ward
