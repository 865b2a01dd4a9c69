// A Channel whose kernel is a function of the test, with its own clock.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <variant>
#include <vector>

#include "ipvs/channel.h"
#include "tests/ipvs/datagrams.h"

namespace l4ward::ipvs {

struct ScriptedRequest {
  int command = 0;
  int flags = 0;
  std::uint32_t sequence = 0;
  Bytes attributes;
};

// A datagram, or what receive() fails with.
using ScriptedAnswer = std::variant<Bytes, Error>;

// The kernel's side of all channels that channels() opens.
struct Script {
  // Called for each datagram sent, with its requests; returns what can be received then.
  std::function<std::deque<ScriptedAnswer>(const std::vector<ScriptedRequest>&)> kernel;
  // When nothing is left to be received: an answer out of thin air. Empty: the deadline passes.
  std::function<Bytes()> endless;
  std::vector<std::vector<ScriptedRequest>> sent{};  // datagrams, over all channels
  int opened = 0;                                    // channels
  int openError = 0;                                 // errno of the next opening, while not 0
  TimePoint now = TimePoint(Millis(1'000'000));
  Millis perDatagram{0};  // that a receive() takes
};

// `script` must outlive the channels. Each begins its sequence numbers at 1, as a socket does.
ChannelFactory channels(Script& script);

}  // namespace l4ward::ipvs
