#include "healthcheck/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "healthcheck/failure.h"

namespace l4ward::healthcheck {
namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  SocketAddress(const IpAddress& address, std::uint16_t port) {
    const auto bytes = address.bytes();
    if (address.isV4()) {
      auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
      v4->sin_family = AF_INET;
      v4->sin_port = htons(port);
      std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::uint8_t*>(&v4->sin_addr));
      size = sizeof *v4;
    } else {
      auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(port);
      std::copy(bytes.begin(), bytes.end(), v6->sin6_addr.s6_addr);
      size = sizeof *v6;
    }
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// These options save packets and sockets, but the probe holds without them.
void setOptions(int fd, const Probe& probe) {
  const linger reset{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  if (!std::holds_alternative<TcpProbe>(probe.how)) return;
  const int off = 0;
  setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
}

// The port is left to connect(): it need then only be unused towards this target.
int bindSource(int fd, const IpAddress& source) {
  const int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const SocketAddress address(source, 0);
  return bind(fd, address.get(), address.size);
}

}  // namespace

tl::expected<UniqueFd, Judgement> startConnect(const Probe& probe) {
  const auto error = [&](Setup call) { return tl::unexpected(judgeSetup(call, errno, probe)); };
  const int family = probe.target.address.isV4() ? AF_INET : AF_INET6;
  UniqueFd fd(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!fd) return error(Setup::socket);
  setOptions(fd.get(), probe);
  if (probe.source && bindSource(fd.get(), *probe.source) != 0) return error(Setup::bind);
  const SocketAddress target(probe.target.address, probe.target.port);
  if (connect(fd.get(), target.get(), target.size) != 0 && errno != EINPROGRESS) {
    return error(Setup::connect);
  }
  return fd;
}

int connectError(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

}  // namespace l4ward::healthcheck
