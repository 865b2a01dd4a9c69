// ExaBGP's configuration file and environment, as text. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "base/result.h"

namespace l4ward::bgp {

struct ExabgpNeighbor {
  IpAddress address;
  IpAddress localAddress;
  std::uint32_t peerAs = 0;
  Millis holdTime{9000};
  std::string password;  // empty: none
};

struct ExabgpConfig {
  std::string relayProgram;  // absolute path of l4ward-exabgp
  std::string relaySocket;   // absolute path of bgp.sock
  std::string relayState;    // absolute path of the relay's own record
  std::uint32_t localAs = 0;
  IpAddress routerId;
  Millis gracefulRestart{30000};  // whole seconds; 0: capability off
  std::vector<ExabgpNeighbor> neighbors;
};

// Whether ExaBGP can read `text` (a password, a path) from its file: printable ASCII, no quotes.
Status checkExabgpString(std::string_view text);

// The whole file; passwords and paths must pass checkExabgpString. EXABGP.md's traps hold: one
// family a session, manual-eor, no route-refresh, …
std::string exabgpConfigText(const ExabgpConfig& config);

// The variables to run it with: {"exabgp_api_ack", "true"}, …
std::map<std::string, std::string> exabgpEnvironment(const std::string& user);

}  // namespace l4ward::bgp
