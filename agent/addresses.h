// IP addresses and the dummy interface that holds them, over rtnetlink. For one thread; every call
// waits for the kernel, at most a few seconds.
#pragma once

#include <set>
#include <string>

#include "agent/route_netlink.h"
#include "base/ip.h"
#include "base/result.h"

namespace l4ward {

class Addresses {
 public:
  // Errors: out of descriptors or memory.
  static Result<Addresses> open();

  // The host addresses (/32 and /128) of an interface; those with a network are somebody else's.
  // An error if there is no such interface (code ENODEV).
  Result<std::set<IpAddress>> list(const std::string& interface) const;

  // Adds the address as /32 or /128: no prefix route, and for IPv6 no duplicate address detection,
  // since every node of the fleet has it. Says whether it was added: false, it was there already.
  Result<bool> add(const std::string& interface, const IpAddress& address) const;

  // Removes the address as /32 or /128. Says whether it was removed: false, it was not there.
  Result<bool> remove(const std::string& interface, const IpAddress& address) const;

  // If there is no such interface, creates it as a dummy and sets it up; one that exists stays as
  // it is. Says whether it was created.
  Result<bool> createDummy(const std::string& interface) const;

  // Removes an interface that createDummy() made. Says whether it was removed: false, it was not
  // there. An error if it is not a dummy.
  Result<bool> removeDummy(const std::string& interface) const;

 private:
  explicit Addresses(RouteSocket socket) : socket_(std::move(socket)) {}
  RouteSocket socket_;
};

}  // namespace l4ward
