#include "healthcheck/connection.h"

#include <netinet/tcp.h>

#include <cerrno>

#include "healthcheck/socket.h"

namespace l4ward::healthcheck {
namespace {

// These options save packets and sockets, but the probe holds without them.
void setOptions(int fd, const Probe& probe) {
  const linger reset{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  const auto* tcp = std::get_if<TcpProbe>(&probe.how);
  if (!tcp || !tcp->send.empty() || tcp->expect || probe.tls) return;
  const int off = 0;
  setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
}

}  // namespace

tl::expected<void, Judgement> startConnect(int socket, const Probe& probe) {
  setOptions(socket, probe);
  return connectSocket(socket, probe);
}

int connectError(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

}  // namespace l4ward::healthcheck
