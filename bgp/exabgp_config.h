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
  std::string password;   // empty: none
  unsigned multihop = 0;  // 2..255: TTL of what we send, so the peer is that near; 0: not set
  unsigned ttlSecurity =
      0;                 // 1..254: we send with TTL 255, for the peer's check (RFC 5082); 0: off
  bool passive = false;  // waits for the peer to connect
  std::uint16_t port = 179;  // the peer's; passive: ours
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

// Whether a reload is not enough for the change from one such text to another: ExaBGP opens the
// sockets of passive neighbors when it starts.
bool needsRestart(const std::string& before, const std::string& after);

// The variables to run it with: {"exabgp_api_ack", "true"}, …
std::map<std::string, std::string> exabgpEnvironment(const std::string& user);

}  // namespace l4ward::bgp
