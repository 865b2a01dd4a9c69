#include "agent/local_routes.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <sys/socket.h>

#include <new>

namespace l4ward {
namespace {

using Route = std::unique_ptr<rtnl_route, Release<rtnl_route, rtnl_route_put>>;
using Callbacks = std::unique_ptr<nl_cb, Release<nl_cb, nl_cb_put>>;

Route toRoute(int index, const Prefix& range) {
  Route route(rtnl_route_alloc());
  rtnl_nexthop* hop = rtnl_route_nh_alloc();
  if (!route || !hop) throw std::bad_alloc();
  rtnl_route_nh_set_ifindex(hop, index);
  rtnl_route_add_nexthop(route.get(), hop);  // owns it from now on
  rtnl_route_set_family(route.get(), range.address.isV4() ? AF_INET : AF_INET6);
  rtnl_route_set_table(route.get(), RT_TABLE_LOCAL);
  rtnl_route_set_type(route.get(), RTN_LOCAL);
  rtnl_route_set_scope(route.get(), RT_SCOPE_HOST);
  rtnl_route_set_protocol(route.get(), RTPROT_STATIC);
  rtnl_route_set_dst(route.get(), toRaw(range).get());
  return route;
}

struct Listing {
  int index;
  std::set<Prefix>& ranges;
};

int collect(nl_msg* message, void* argument) {
  auto& [index, ranges] = *static_cast<Listing*>(argument);
  rtnl_route* raw = nullptr;
  if (rtnl_route_parse(nlmsg_hdr(message), &raw) < 0) return NL_SKIP;
  const Route route(raw);
  if (rtnl_route_get_table(raw) != RT_TABLE_LOCAL || rtnl_route_get_type(raw) != RTN_LOCAL ||
      rtnl_route_get_nnexthops(raw) != 1 ||
      rtnl_route_nh_get_ifindex(rtnl_route_nexthop_n(raw, 0)) != index) {
    return NL_OK;
  }
  const auto range = fromRaw(rtnl_route_get_dst(raw));
  if (range && !range->isHost()) ranges.insert(*range);
  return NL_OK;
}

}  // namespace

Result<LocalRoutes> LocalRoutes::open() {
  auto socket = RouteSocket::open();
  if (!socket) return tl::unexpected(socket.error());
  // With it the kernel picks by table and type; a router's node may have a million other routes.
  const int on = 1;
  setsockopt(nl_socket_get_fd(socket->get()), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  return LocalRoutes(*std::move(socket));
}

Result<std::set<Prefix>> LocalRoutes::list(const std::string& interface) const {
  const auto index = interfaceIndex(interface);
  if (!index) return tl::unexpected(index.error());
  std::set<Prefix> ranges;
  Listing listing{*index, ranges};
  const Callbacks callbacks(nl_cb_alloc(NL_CB_DEFAULT));
  if (!callbacks) throw std::bad_alloc();
  nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, collect, &listing);
  for (const int family : {AF_INET, AF_INET6}) {
    rtmsg request{};
    request.rtm_family = static_cast<std::uint8_t>(family);
    request.rtm_table = RT_TABLE_LOCAL;
    request.rtm_type = RTN_LOCAL;
    int code = nl_send_simple(socket_.get(), RTM_GETROUTE, NLM_F_DUMP, &request, sizeof request);
    if (code >= 0) code = nl_recvmsgs(socket_.get(), callbacks.get());
    if (code == -NLE_OPNOTSUPP || code == -NLE_AF_NOSUPPORT) continue;  // a kernel without IPv6
    if (code < 0) return failedRoute("cannot list the local routes of " + interface, code);
  }
  return ranges;
}

Result<bool> LocalRoutes::add(const std::string& interface, const Prefix& range) const {
  const auto index = interfaceIndex(interface);
  if (!index) return tl::unexpected(index.error());
  const int code =
      rtnl_route_add(socket_.get(), toRoute(*index, range).get(), NLM_F_CREATE | NLM_F_EXCL);
  if (code == -NLE_EXIST) return false;
  if (code < 0) return failedRoute("cannot add " + range.str() + " to " + interface, code);
  return true;
}

Result<bool> LocalRoutes::remove(const std::string& interface, const Prefix& range) const {
  const auto index = interfaceIndex(interface);
  if (!index) return tl::unexpected(index.error());
  const int code = rtnl_route_delete(socket_.get(), toRoute(*index, range).get(), 0);
  if (code == -NLE_OBJ_NOTFOUND) return false;
  if (code < 0) return failedRoute("cannot remove " + range.str() + " from " + interface, code);
  return true;
}

}  // namespace l4ward
