// What agent and relay say to each other over the unix socket: one JSON object a line. Pure.
//
// The relay speaks first, with `hello`; the agent sends `routes` (all that are wanted) and `alive`.
// Unknown types are errors for the sender's version, so both sides close and log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "base/result.h"
#include "bgp/route.h"

namespace l4ward::bgp {

inline constexpr int kProtocolVersion = 2;
inline constexpr std::size_t kMaxMessage = std::size_t{4} << 20;  // bytes of one line
inline constexpr Millis kMinHold{500};
inline constexpr Millis kMaxHold{24 * 3600 * 1000};

// The version of this program.
std::string programVersion();

// relay → agent
struct Hello {
  std::string instance;     // of ExaBGP: "pid:start time"
  RouteSet standing;        // what ExaBGP announces now
  bool recordLost = false;  // `standing` may lack routes: the relay's record was damaged
  std::string program = programVersion();  // "" from those that did not say it yet
  bool operator==(const Hello&) const = default;
};
struct Synced {  // all changes up to this generation of the routes were acknowledged
  std::uint64_t generation = 0;
  bool operator==(const Synced&) const = default;
};
struct SessionEvent {
  IpAddress neighbor;
  std::string state;  // "up", "down", "connected"
  std::string reason;
  bool operator==(const SessionEvent&) const = default;
};
struct RelayError {
  std::string what;
  bool operator==(const RelayError&) const = default;
};
struct Stuck {  // ExaBGP has not answered for a while and must be started again
  std::string what;
  bool operator==(const Stuck&) const = default;
};
struct Pong {  // to every `alive`: the relay is not frozen
  bool operator==(const Pong&) const = default;
};
using RelayMessage = std::variant<Hello, Synced, SessionEvent, RelayError, Stuck, Pong>;

// agent → relay
struct Routes {
  std::uint64_t generation = 0;
  Millis hold{30000};  // how long they stand when the agent is not heard; kMinHold…kMaxHold
  RouteSet wanted;
  bool operator==(const Routes&) const = default;
};
struct Alive {
  bool operator==(const Alive&) const = default;
};
struct End {  // for a relay of another version than the agent: ExaBGP starts the one on disk
  bool operator==(const End&) const = default;
};
using AgentMessage = std::variant<Routes, Alive, End>;

// With the end of line.
std::string encode(const RelayMessage& message);
std::string encode(const AgentMessage& message);

// One line without its end; any bytes; never throws. Code EPROTO: of another protocol version.
Result<RelayMessage> decodeRelayMessage(std::string_view line);
Result<AgentMessage> decodeAgentMessage(std::string_view line);

}  // namespace l4ward::bgp
