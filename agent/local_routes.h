// Ranges of addresses that are this host's own: routes of type local, as `ip route add local
// 198.51.100.0/28 dev lo` makes them. For one thread; every call waits for the kernel, at most a
// few seconds.
#pragma once

#include <set>
#include <string>

#include "agent/route_netlink.h"
#include "base/ip.h"
#include "base/result.h"

namespace l4ward {

class LocalRoutes {
 public:
  // Errors: out of descriptors or memory.
  static Result<LocalRoutes> open();

  // The ranges (no /32 and /128) that are local by the interface. An error if there is no such
  // interface (code ENODEV).
  Result<std::set<Prefix>> list(const std::string& interface) const;
  // Says whether it was added: false, it was there already.
  Result<bool> add(const std::string& interface, const Prefix& range) const;
  // Says whether it was removed: false, it was not there.
  Result<bool> remove(const std::string& interface, const Prefix& range) const;

 private:
  explicit LocalRoutes(RouteSocket socket) : socket_(std::move(socket)) {}
  RouteSocket socket_;
};

}  // namespace l4ward
