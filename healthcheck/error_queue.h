// The errors that the network reports about a datagram or raw socket's packets: which and by whom,
// which an errno does not tell (IP_RECVERR, see ip(7)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ip.h"

namespace l4ward::healthcheck {

struct NetworkError {
  int code = 0;           // errno
  bool byIcmp = false;    // else the kernel's own, of this node
  std::uint8_t type = 0;  // ICMP's, ICMPv6's
  std::uint8_t icmpCode = 0;
  std::optional<IpAddress> sender;  // who reported it; a neighbour that does not answer: this node
  std::string quoted;  // the first bytes of our packet, from behind UDP's or IP's header
};

// Wants errors to be queued. Without, only port unreachable is reported.
void queueErrors(int socket, Family family);

// The next one; nothing when there is none left. While there is, the socket is always ready.
std::optional<NetworkError> takeError(int socket);

}  // namespace l4ward::healthcheck
