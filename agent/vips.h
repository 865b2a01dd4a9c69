// The virtual IPs on the node's interface: added before anything is announced, removed after
// everything else is gone.
#pragma once

#include <set>
#include <string>

#include "agent/memory_file.h"
#include "base/clock.h"
#include "base/ip.h"
#include "base/result.h"

namespace l4ward::agent {

// The kernel's side: rtnetlink in the product, a set in tests.
class Interfaces {
 public:
  virtual ~Interfaces() = default;
  // Creates a dummy interface if there is none of that name.
  virtual Status ensureInterface(const std::string& name) = 0;
  virtual Result<std::set<IpAddress>> addresses(const std::string& name) = 0;
  virtual Status add(const std::string& name, const IpAddress& address) = 0;
  virtual Status remove(const std::string& name, const IpAddress& address) = 0;
};

class Vips {
 public:
  // Both must outlive this object.
  Vips(Interfaces& interfaces, MemoryFile& memory) : interfaces_(interfaces), memory_(memory) {}

  // Puts each of `wanted` on `interface`. Looks at the interface first and writes only what lacks.
  // Returns whether all are there now; failures are logged once each.
  bool ensure(const std::string& interface, const std::set<IpAddress>& wanted);

  // Takes every address away that an agent added and that is not in `wanted`.
  void releaseOthers(const std::string& interface, const std::set<IpAddress>& wanted);

  bool isPresent(const IpAddress& vip) const { return present_.contains(vip); }

 private:
  void complain(const std::string& subject, const Error& error);

  Interfaces& interfaces_;
  MemoryFile& memory_;
  std::set<IpAddress> present_;
  std::set<std::string> complained_;
};

}  // namespace l4ward::agent
