// What to probe and how often.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"

namespace l4ward::healthcheck {

struct StatusRange {
  unsigned first = 200;
  unsigned last = 200;
  bool operator==(const StatusRange&) const = default;
};

struct TcpProbe {
  bool operator==(const TcpProbe&) const = default;
};

struct HttpProbe {
  std::string path = "/";
  std::string host;
  std::vector<StatusRange> pass{{200, 200}};
  std::vector<StatusRange> drain;
  bool operator==(const HttpProbe&) const = default;
};

// One probe, as it is made; two that are equal need only be made once.
struct Probe {
  Endpoint target;
  std::optional<IpAddress> source;  // of the target's family
  Millis timeout{1000};             // for the whole probe
  std::variant<TcpProbe, HttpProbe> how;
  bool operator==(const Probe&) const = default;
};

struct Job {
  std::uint64_t id = 0;
  Probe probe;
  Millis interval{2000};     // between starts
  Millis fastInterval{500};  // the same while pending
  bool operator==(const Job&) const = default;
};

}  // namespace l4ward::healthcheck
