#include "agent/route_netlink.h"

#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <new>

namespace l4ward {
namespace {

constexpr timeval kAnswerLimit{5, 0};

}  // namespace

void RouteSocket::Free::operator()(nl_sock* socket) const {
  nl_socket_free(socket);
}

Result<RouteSocket> RouteSocket::open() {
  RouteSocket socket(nl_socket_alloc());
  if (!socket.socket_) throw std::bad_alloc();
  if (const int code = nl_connect(socket.get(), NETLINK_ROUTE); code < 0) {
    return failedRoute("cannot open a netlink socket", code);
  }
  setsockopt(nl_socket_get_fd(socket.get()), SOL_SOCKET, SO_RCVTIMEO, &kAnswerLimit,
             sizeof kAnswerLimit);
  return socket;
}

tl::unexpected<Error> failedRoute(const std::string& what, int code) {
  if (code == -NLE_PERM || code == -NLE_NOACCESS)
    return fail(what + ": needs CAP_NET_ADMIN", EPERM);
  if (code == -NLE_AGAIN) return fail(what + ": the kernel did not answer in time", ETIMEDOUT);
  return fail(what + ": " + nl_geterror(code));
}

Result<int> interfaceIndex(const std::string& interface) {
  if (interface.empty() || interface.size() >= IFNAMSIZ) {
    return fail("'" + interface + "' is not the name of an interface (1 to 15 characters)", EINVAL);
  }
  const unsigned index = if_nametoindex(interface.c_str());
  if (index == 0) {
    if (errno == ENODEV || errno == ENXIO) {
      return fail("there is no interface " + interface, ENODEV);
    }
    return failErrno("cannot look for interface " + interface, errno);
  }
  return static_cast<int>(index);
}

RawAddress toRaw(const Prefix& prefix) {
  const auto bytes = prefix.address.bytes();
  RawAddress raw(
      nl_addr_build(prefix.address.isV4() ? AF_INET : AF_INET6, bytes.data(), bytes.size()));
  if (!raw) throw std::bad_alloc();
  nl_addr_set_prefixlen(raw.get(), prefix.length);
  return raw;
}

Result<Prefix> fromRaw(nl_addr* raw) {
  const auto address = IpAddress::fromBytes(
      {static_cast<const std::uint8_t*>(nl_addr_get_binary_addr(raw)), nl_addr_get_len(raw)});
  if (!address) return tl::unexpected(address.error());
  return Prefix{*address, static_cast<std::uint8_t>(nl_addr_get_prefixlen(raw))};
}

}  // namespace l4ward
