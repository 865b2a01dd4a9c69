// What the sockets of every kind of probe have in common, by plain system calls: what they return
// tells a local error from the server's.
#pragma once

#include <sys/socket.h>

#include <tl/expected.hpp>

#include "base/ip.h"
#include "base/unique_fd.h"
#include "healthcheck/job.h"
#include "healthcheck/judgement.h"

namespace l4ward::healthcheck {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  explicit SocketAddress(const Endpoint& endpoint);
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// The address of a sockaddr_in or sockaddr_in6; nothing if it is neither.
std::optional<IpAddress> addressOf(const sockaddr& address);

// Where the probe's packets are sent to: on the data path the virtual IP, else the target.
inline const Endpoint& destinationOf(const Probe& probe) {
  return probe.dataPath ? probe.dataPath->vip : probe.target;
}

// A non-blocking, close-on-exec socket of the destination's family. `type` and `protocol` as for
// socket(2). `errno` tells why there is none.
UniqueFd openSocket(const Probe& probe, int type, int protocol);

// Sets the data path's mark and binds the source address, where the probe has them, and connects to
// the destination: for a stream this only starts it. Without a source address the data path takes
// the one that this node has towards the target. The judgement if that failed.
tl::expected<void, Judgement> connectSocket(int socket, const Probe& probe);

}  // namespace l4ward::healthcheck
