// What addresses.cc and local_routes.cc share: an rtnetlink socket of libnl, and its errors as
// ours.
#pragma once

#include <netlink/addr.h>

#include <memory>
#include <string>

#include "base/ip.h"
#include "base/result.h"

struct nl_sock;

namespace l4ward {

// Owns an object of libnl.
template <typename T, void (*free)(T*)>
struct Release {
  void operator()(T* object) const { free(object); }
};
using RawAddress = std::unique_ptr<nl_addr, Release<nl_addr, nl_addr_put>>;

class RouteSocket {
 public:
  // Connected to rtnetlink; the kernel has a few seconds for each answer. Errors: out of
  // descriptors or memory.
  static Result<RouteSocket> open();
  nl_sock* get() const { return socket_.get(); }

 private:
  struct Free {
    void operator()(nl_sock* socket) const;
  };
  explicit RouteSocket(nl_sock* socket) : socket_(socket) {}
  std::unique_ptr<nl_sock, Free> socket_;
};

// libnl's `code`, negative, as an error about `what`.
tl::unexpected<Error> failedRoute(const std::string& what, int code);

// Errors: no such interface (code ENODEV), no name of an interface (EINVAL).
Result<int> interfaceIndex(const std::string& interface);

RawAddress toRaw(const Prefix& prefix);
Result<Prefix> fromRaw(nl_addr* raw);

}  // namespace l4ward
