// The requests of the control socket: one JSON object a line. Pure.
//
//   {"version": 1, "command": "drain", "subject": "server edge/lb7-1", "for": 1800,
//    "reason": "kernel update", "force": false}
//   {"version": 1, "ok": true, "result": {…}}
//   {"version": 1, "ok": false, "error": {"code": "last-server", "message": "…", "next": "…"}}
//
// docs/control.md describes them all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "control/override.h"

namespace l4ward::control {

inline constexpr int kProtocolVersion = 1;
// A line with a site file in it (`plan`) may be this long, all others kMaxRequest.
inline constexpr std::size_t kMaxPlanRequest = 5 << 20;
inline constexpr std::size_t kMaxRequest = 16 << 10;

// {"command": "status"}
struct StatusRequest {};
// {"command": "events", "after": 0, "follow": false}
struct EventsRequest {
  std::uint64_t after = 0;  // the last one that is known already
  bool follow = false;      // later ones are sent as they happen, a line each
};
// {"command": "reload"}
struct ReloadRequest {};
// {"command": "resync"}
struct ResyncRequest {};
// {"command": "plan", "file": "site.yaml", "text": "..."}
struct PlanRequest {
  std::string file;  // only named
  std::string text;
};
// {"command": "lookup", "client": "203.0.113.9:40000", "vip": "198.51.100.1:80",
//  "protocol": "tcp"}
struct LookupRequest {
  Endpoint client;
  Endpoint vip;
  std::string protocol = "tcp";  // tcp, udp, sctp
};
// {"command": "drain" or "disable", "subject": "server edge/lb7-1", "for": 1800,
//  "reason": "kernel update", "force": false}; only the subject must be there
struct SetRequest {
  Subject subject;
  Action action = Action::drain;
  std::optional<double> seconds;  // 1 s to 365 days
  std::string reason;             // at most kMaxReason bytes, no control characters
  bool force = false;             // also the last healthy server of a pool
};
// {"command": "enable", "subject": "node"}
struct ClearRequest {
  Subject subject;
};
// {"command": "config"}
struct ConfigRequest {};
// {"command": "version"}
struct VersionRequest {};

using Request =
    std::variant<StatusRequest, EventsRequest, ReloadRequest, ResyncRequest, PlanRequest,
                 LookupRequest, SetRequest, ClearRequest, ConfigRequest, VersionRequest>;

// What went wrong, for people and for scripts.
struct Refusal {
  std::string code;  // "bad-request", "unknown-subject", "last-server", "busy", "failed", …
  std::string message;
  std::string next;  // what to type or do; may be empty

  bool operator==(const Refusal&) const = default;
};

// How long the line may get whose first bytes these are (64 are enough): kMaxPlanRequest if
// "command": "plan" is among them, else kMaxRequest.
std::size_t requestLimit(std::string_view beginning);
// An error says what was found and expected. "version" may be left out; a field that nobody knows
// is refused, since it could be a mistyped "force". Never throws, whatever the text.
tl::expected<Request, Refusal> parseRequest(std::string_view line);
std::string encode(const Request& request);  // without line break

using Reply = tl::expected<nlohmann::json, Refusal>;
std::string encode(const Reply& reply);  // without line break
// The same for a result that is JSON text already.
std::string encodeResult(std::string_view json);
// What encode() gave. A Refusal of code "bad-reply" for anything else.
Reply parseReply(std::string_view line);

}  // namespace l4ward::control
