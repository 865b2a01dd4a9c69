// What the relay remembers across its own death: one JSON file. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "bgp/route.h"

namespace l4ward::bgp {

inline constexpr std::size_t kMaxRecord = std::size_t{16} << 20;  // bytes

struct RelayRecord {
  std::string instance;            // of ExaBGP: "pid:start time"
  std::optional<RouteSet> wanted;  // as last published; empty set after the hold ran out
  Millis hold{30000};
  TimePoint heard;    // when the agent was heard last; CLOCK_MONOTONIC, which outlives processes
  RouteSet standing;  // acknowledged by ExaBGP
  RouteSet doubtful;  // in flight: announced, withdrawn or neither; with the attributes of the line

  bool operator==(const RelayRecord&) const = default;
};

std::string encodeRecord(const RelayRecord& record);
// Any bytes; never throws.
Result<RelayRecord> decodeRecord(std::string_view bytes);

}  // namespace l4ward::bgp
