#include "healthcheck/socket.h"

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>

#include "healthcheck/failure.h"

namespace l4ward::healthcheck {
namespace {

bool setMark(int socket, std::uint32_t mark) {
  return setsockopt(socket, SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0;
}

// The port is left to connect(): it need then only be unused towards this target.
bool bindSource(int socket, const IpAddress& source) {
  const int on = 1;
  setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const SocketAddress address({source, 0});
  return bind(socket, address.get(), address.size) == 0;
}

// This node's address on the way to there. Towards the virtual IP itself, which is this node's as
// well, the kernel would take just that.
std::optional<IpAddress> sourceTowards(const Endpoint& target) {
  const int family = target.address.isV4() ? AF_INET : AF_INET6;
  const UniqueFd fd(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const SocketAddress there({target.address, 9});  // any port: nothing is sent
  if (!fd || connect(fd.get(), there.get(), there.size) != 0) return std::nullopt;
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &size) != 0) return std::nullopt;
  return addressOf(reinterpret_cast<const sockaddr&>(own));
}

}  // namespace

SocketAddress::SocketAddress(const Endpoint& endpoint) {
  const auto bytes = endpoint.address.bytes();
  if (endpoint.address.isV4()) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    std::ranges::copy(bytes, reinterpret_cast<std::uint8_t*>(&v4->sin_addr));
    size = sizeof *v4;
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(endpoint.port);
    std::ranges::copy(bytes, v6->sin6_addr.s6_addr);
    size = sizeof *v6;
  }
}

std::optional<IpAddress> addressOf(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address).sin_addr;
    return IpAddress::fromBytes({reinterpret_cast<const std::uint8_t*>(&v4), sizeof v4}).value();
  }
  if (address.sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    return IpAddress::fromBytes(v6.s6_addr).value();
  }
  return std::nullopt;
}

UniqueFd openSocket(const Probe& probe, int type, int protocol) {
  const int family = destinationOf(probe).address.isV4() ? AF_INET : AF_INET6;
  return UniqueFd(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
}

tl::expected<void, Judgement> connectSocket(int socket, const Probe& probe) {
  const auto error = [&](Setup call) { return tl::unexpected(judgeSetup(call, errno, probe)); };
  const bool isMarked = probe.dataPath && probe.dataPath->mark != 0;
  if (isMarked && !setMark(socket, probe.dataPath->mark)) return error(Setup::mark);
  auto source = probe.source;
  if (probe.dataPath && !source) {
    source = sourceTowards(probe.target);
    if (!source || source->family() != probe.dataPath->vip.address.family()) {
      return tl::unexpected(notMade("the check needs `source`: an " +
                                    std::string(toString(probe.dataPath->vip.address.family())) +
                                    " address of this node"));
    }
  }
  if (source && !bindSource(socket, *source)) return error(Setup::bind);
  const SocketAddress destination(destinationOf(probe));
  if (connect(socket, destination.get(), destination.size) != 0 && errno != EINPROGRESS) {
    return error(Setup::connect);
  }
  return {};
}

}  // namespace l4ward::healthcheck
