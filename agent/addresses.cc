#include "agent/addresses.h"

#include <linux/if_addr.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>
#include <string_view>

namespace l4ward {
namespace {

using Address = std::unique_ptr<rtnl_addr, Release<rtnl_addr, rtnl_addr_put>>;
using Link = std::unique_ptr<rtnl_link, Release<rtnl_link, rtnl_link_put>>;
using Cache = std::unique_ptr<nl_cache, Release<nl_cache, nl_cache_free>>;

// The rtnetlink form of `address` on an interface.
Result<Address> toRequest(int index, const IpAddress& address) {
  Address request(rtnl_addr_alloc());
  if (!request) throw std::bad_alloc();
  const auto raw = toRaw(Prefix::host(address));
  rtnl_addr_set_ifindex(request.get(), index);
  if (const int code = rtnl_addr_set_local(request.get(), raw.get()); code < 0) {
    return failedRoute("cannot use address " + address.str(), code);
  }
  if (!address.isV4()) rtnl_addr_set_flags(request.get(), IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
  return request;
}

}  // namespace

Result<Addresses> Addresses::open() {
  auto socket = RouteSocket::open();
  if (!socket) return tl::unexpected(socket.error());
  return Addresses(*std::move(socket));
}

Result<std::set<IpAddress>> Addresses::list(const std::string& interface) const {
  const auto index = interfaceIndex(interface);
  if (!index) return tl::unexpected(index.error());
  nl_cache* raw = nullptr;
  if (const int code = rtnl_addr_alloc_cache(socket_.get(), &raw); code < 0) {
    return failedRoute("cannot list the addresses of " + interface, code);
  }
  const Cache cache(raw);
  std::set<IpAddress> addresses;
  for (auto* object = nl_cache_get_first(raw); object; object = nl_cache_get_next(object)) {
    auto* entry = reinterpret_cast<rtnl_addr*>(object);
    auto* local = rtnl_addr_get_local(entry);
    if (rtnl_addr_get_ifindex(entry) != *index || !local) continue;
    const auto address = fromRaw(local);
    if (address && rtnl_addr_get_prefixlen(entry) == static_cast<int>(address->address.bits())) {
      addresses.insert(address->address);
    }
  }
  return addresses;
}

Result<bool> Addresses::add(const std::string& interface, const IpAddress& address) const {
  const auto index = interfaceIndex(interface);
  if (!index) return tl::unexpected(index.error());
  const auto request = toRequest(*index, address);
  if (!request) return tl::unexpected(request.error());
  const int code = rtnl_addr_add(socket_.get(), request->get(), NLM_F_CREATE | NLM_F_EXCL);
  if (code == -NLE_EXIST) return false;
  if (code < 0) return failedRoute("cannot add " + address.str() + " to " + interface, code);
  return true;
}

Result<bool> Addresses::remove(const std::string& interface, const IpAddress& address) const {
  const auto index = interfaceIndex(interface);
  if (!index) return tl::unexpected(index.error());
  const auto request = toRequest(*index, address);
  if (!request) return tl::unexpected(request.error());
  const int code = rtnl_addr_delete(socket_.get(), request->get(), 0);
  if (code == -NLE_NOADDR) return false;  // EADDRNOTAVAIL
  if (code < 0) return failedRoute("cannot remove " + address.str() + " from " + interface, code);
  return true;
}

Result<bool> Addresses::createDummy(const std::string& interface) const {
  const auto index = interfaceIndex(interface);
  if (index) return false;
  if (index.error().code != ENODEV) return tl::unexpected(index.error());
  const Link link(rtnl_link_alloc());
  if (!link) throw std::bad_alloc();
  rtnl_link_set_name(link.get(), interface.c_str());
  rtnl_link_set_flags(link.get(), IFF_UP);
  int code = rtnl_link_set_type(link.get(), "dummy");
  if (code == 0) code = rtnl_link_add(socket_.get(), link.get(), NLM_F_CREATE | NLM_F_EXCL);
  if (code == -NLE_EXIST) return false;  // somebody was faster
  if (code == -NLE_OPNOTSUPP) {
    return fail("cannot create interface " + interface +
                    ": the kernel has no dummy interfaces; run 'modprobe dummy'",
                EOPNOTSUPP);
  }
  if (code < 0) return failedRoute("cannot create interface " + interface, code);
  return true;
}

Result<bool> Addresses::removeDummy(const std::string& interface) const {
  const auto index = interfaceIndex(interface);
  if (!index && index.error().code == ENODEV) return false;
  if (!index) return tl::unexpected(index.error());
  rtnl_link* raw = nullptr;
  if (const int code = rtnl_link_get_kernel(socket_.get(), *index, nullptr, &raw); code < 0) {
    return failedRoute("cannot look at interface " + interface, code);
  }
  const Link link(raw);
  const char* type = rtnl_link_get_type(raw);
  if (!type || std::string_view(type) != "dummy") {
    return fail("interface " + interface + " is not a dummy, so it is not removed", EINVAL);
  }
  const int code = rtnl_link_delete(socket_.get(), raw);
  if (code == -NLE_NODEV) return false;
  if (code < 0) return failedRoute("cannot remove interface " + interface, code);
  return true;
}

}  // namespace l4ward
