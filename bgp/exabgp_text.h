// ExaBGP's line channel as text: commands out, answers and events in. Pure; stays in the subset
// that ExaBGP 4.2 and 5 share. Every command names its neighbor and its next hop.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "bgp/route.h"

namespace l4ward::bgp {

// Lines go to ExaBGP in writes of at most this many bytes, which a pipe takes whole or not at all
// (PIPE_BUF), so that a killed relay never leaves half a line behind.
inline constexpr std::size_t kMaxCommandLine = 4095;
inline constexpr std::size_t kMaxCommunities = 64;  // of a route, of all three kinds together
inline constexpr std::size_t kMaxAsPath = 32;

// Numbers that fit, and nothing else, so nothing that could end a list or a line.
bool isCommunity(std::string_view text);          // "65001:80" (RFC 1997)
bool isLargeCommunity(std::string_view text);     // "65001:1:2" (RFC 8092)
bool isExtendedCommunity(std::string_view text);  // "target:65001:80", "origin:4200000000:80"

// Lines are without their ends. Withdrawals name the attributes of the announcement: 4.2 files
// changes by attributes, and one filed elsewhere overtakes.
std::string routeLine(bool announce, const RouteKey& key, const Attributes& attributes);
// A line for several routes, up to the prefixes, each of which follows after a space.
std::string routesLineHead(bool announce, const IpAddress& neighbor, const Attributes& attributes);
// End-of-RIB of the neighbor's own family (one family a session). Only for established sessions.
std::string endOfRibLine(const IpAddress& neighbor);
// Answers with a header, a line for each established session, and "done"; nothing overtakes it.
inline constexpr std::string_view kBarrierLine = "show neighbor summary";

struct Reply {
  enum class Kind {
    done,
    error,
    session,         // neighbor, state ("connected", "up", "down") and reason
    summaryHeader,   // the answer to kBarrierLine begins
    summarySession,  // neighbor is established
    shutdown,        // ExaBGP ends
    text,            // anything else
  };
  Kind kind = Kind::text;
  IpAddress neighbor;
  std::string state;
  std::string reason;
};

// One line from ExaBGP; any bytes.
Reply parseReply(std::string_view line);

}  // namespace l4ward::bgp
