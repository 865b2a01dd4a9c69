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
#include <sys/time.h>

#include <cerrno>
#include <new>
#include <string_view>

namespace l4ward {
namespace {

constexpr timeval kAnswerLimit{5, 0};

// Owns an object of libnl.
template <typename T, void (*free)(T*)>
struct Release {
  void operator()(T* object) const { free(object); }
};
using Address = std::unique_ptr<rtnl_addr, Release<rtnl_addr, rtnl_addr_put>>;
using Link = std::unique_ptr<rtnl_link, Release<rtnl_link, rtnl_link_put>>;
using Cache = std::unique_ptr<nl_cache, Release<nl_cache, nl_cache_free>>;
using RawAddress = std::unique_ptr<nl_addr, Release<nl_addr, nl_addr_put>>;

// `code` is libnl's, 0 or negative.
tl::unexpected<Error> failed(const std::string& what, int code) {
  if (code == -NLE_PERM || code == -NLE_NOACCESS)
    return fail(what + ": needs CAP_NET_ADMIN", EPERM);
  if (code == -NLE_AGAIN) return fail(what + ": the kernel did not answer in time", ETIMEDOUT);
  return fail(what + ": " + nl_geterror(code));
}

Result<int> indexOf(const std::string& interface) {
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

Result<IpAddress> fromRaw(nl_addr* raw) {
  return IpAddress::fromBytes(
      {static_cast<const std::uint8_t*>(nl_addr_get_binary_addr(raw)), nl_addr_get_len(raw)});
}

// The rtnetlink form of `address` on an interface.
Result<Address> toRequest(int index, const IpAddress& address) {
  Address request(rtnl_addr_alloc());
  const auto bytes = address.bytes();
  const RawAddress raw(
      nl_addr_build(address.isV4() ? AF_INET : AF_INET6, bytes.data(), bytes.size()));
  if (!request || !raw) throw std::bad_alloc();
  nl_addr_set_prefixlen(raw.get(), static_cast<int>(address.bits()));
  rtnl_addr_set_ifindex(request.get(), index);
  if (const int code = rtnl_addr_set_local(request.get(), raw.get()); code < 0) {
    return failed("cannot use address " + address.str(), code);
  }
  if (!address.isV4()) rtnl_addr_set_flags(request.get(), IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
  return request;
}

}  // namespace

void Addresses::Free::operator()(nl_sock* socket) const {
  nl_socket_free(socket);
}

Addresses::Addresses() : socket_(nl_socket_alloc()) {
  if (!socket_) throw std::bad_alloc();
}
Addresses::Addresses(Addresses&&) noexcept = default;
Addresses& Addresses::operator=(Addresses&&) noexcept = default;
Addresses::~Addresses() = default;

Result<Addresses> Addresses::open() {
  Addresses addresses;
  if (const int code = nl_connect(addresses.socket_.get(), NETLINK_ROUTE); code < 0) {
    return failed("cannot open a netlink socket", code);
  }
  setsockopt(nl_socket_get_fd(addresses.socket_.get()), SOL_SOCKET, SO_RCVTIMEO, &kAnswerLimit,
             sizeof kAnswerLimit);
  return addresses;
}

Result<std::set<IpAddress>> Addresses::list(const std::string& interface) const {
  const auto index = indexOf(interface);
  if (!index) return tl::unexpected(index.error());
  nl_cache* raw = nullptr;
  if (const int code = rtnl_addr_alloc_cache(socket_.get(), &raw); code < 0) {
    return failed("cannot list the addresses of " + interface, code);
  }
  const Cache cache(raw);
  std::set<IpAddress> addresses;
  for (auto* object = nl_cache_get_first(raw); object; object = nl_cache_get_next(object)) {
    auto* entry = reinterpret_cast<rtnl_addr*>(object);
    auto* local = rtnl_addr_get_local(entry);
    if (rtnl_addr_get_ifindex(entry) != *index || !local) continue;
    const auto address = fromRaw(local);
    if (address && rtnl_addr_get_prefixlen(entry) == static_cast<int>(address->bits())) {
      addresses.insert(*address);
    }
  }
  return addresses;
}

Result<bool> Addresses::add(const std::string& interface, const IpAddress& address) const {
  const auto index = indexOf(interface);
  if (!index) return tl::unexpected(index.error());
  const auto request = toRequest(*index, address);
  if (!request) return tl::unexpected(request.error());
  const int code = rtnl_addr_add(socket_.get(), request->get(), NLM_F_CREATE | NLM_F_EXCL);
  if (code == -NLE_EXIST) return false;
  if (code < 0) return failed("cannot add " + address.str() + " to " + interface, code);
  return true;
}

Result<bool> Addresses::remove(const std::string& interface, const IpAddress& address) const {
  const auto index = indexOf(interface);
  if (!index) return tl::unexpected(index.error());
  const auto request = toRequest(*index, address);
  if (!request) return tl::unexpected(request.error());
  const int code = rtnl_addr_delete(socket_.get(), request->get(), 0);
  if (code == -NLE_NOADDR) return false;  // EADDRNOTAVAIL
  if (code < 0) return failed("cannot remove " + address.str() + " from " + interface, code);
  return true;
}

Result<bool> Addresses::createDummy(const std::string& interface) const {
  const auto index = indexOf(interface);
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
  if (code < 0) return failed("cannot create interface " + interface, code);
  return true;
}

Result<bool> Addresses::removeDummy(const std::string& interface) const {
  const auto index = indexOf(interface);
  if (!index && index.error().code == ENODEV) return false;
  if (!index) return tl::unexpected(index.error());
  rtnl_link* raw = nullptr;
  if (const int code = rtnl_link_get_kernel(socket_.get(), *index, nullptr, &raw); code < 0) {
    return failed("cannot look at interface " + interface, code);
  }
  const Link link(raw);
  const char* type = rtnl_link_get_type(raw);
  if (!type || std::string_view(type) != "dummy") {
    return fail("interface " + interface + " is not a dummy, so it is not removed", EINVAL);
  }
  const int code = rtnl_link_delete(socket_.get(), raw);
  if (code == -NLE_NODEV) return false;
  if (code < 0) return failed("cannot remove interface " + interface, code);
  return true;
}

}  // namespace l4ward
