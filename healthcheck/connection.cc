#include "healthcheck/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "healthcheck/failure.h"
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

tl::expected<UniqueFd, Judgement> startConnect(const Probe& probe) {
  auto fd = openSocket(probe, SOCK_STREAM, IPPROTO_TCP);
  if (!fd) return tl::unexpected(judgeSetup(Setup::socket, errno, probe));
  setOptions(fd.get(), probe);
  if (auto connecting = connectSocket(fd.get(), probe); !connecting) {
    return tl::unexpected(std::move(connecting.error()));
  }
  return fd;
}

int connectError(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

}  // namespace l4ward::healthcheck
