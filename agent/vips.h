// The virtual IPs on the node's interface, addresses and ranges: added before anything is
// announced, removed after everything else is gone.
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
  // The addresses (/32, /128) and ranges that are local by this interface.
  // An error with the code ENODEV if there is no such interface.
  virtual Result<std::set<Prefix>> list(const std::string& name) = 0;
  virtual Status add(const std::string& name, const Prefix& vip) = 0;
  virtual Status remove(const std::string& name, const Prefix& vip) = 0;
};

class Vips {
 public:
  // Both must outlive this object. `observe`: it looks only.
  Vips(Interfaces& interfaces, MemoryFile& memory, bool observe = false)
      : interfaces_(interfaces), memory_(memory), observe_(observe) {}

  // Puts each of `wanted` on `interface`. Looks at the interface first, at most once a `period` as
  // long as nothing lacks, and writes only what lacks. Failures are logged once each. Returns when
  // to call it again.
  TimePoint ensure(const std::string& interface, const std::set<Prefix>& wanted, TimePoint now,
                   Millis period);
  // The next ensure() looks, whatever the period.
  void resync() { lookDue_ = {}; }

  // Takes every address away that an agent added and that is not in `wanted`.
  void releaseOthers(const std::string& interface, const std::set<Prefix>& wanted);

  bool isPresent(const Prefix& vip) const { return present_.contains(vip); }
  const std::set<Prefix>& present() const { return present_; }

 private:
  Result<std::set<Prefix>> listNew(const std::string& interface);
  bool lookFor(const std::string& interface, const std::set<Prefix>& wanted);
  bool addMissing(const std::string& interface, const std::set<Prefix>& wanted);
  void complain(const std::string& subject, const Error& error);

  Interfaces& interfaces_;
  MemoryFile& memory_;
  bool observe_;
  std::string interface_;
  std::set<Prefix> present_;
  TimePoint lookDue_{};
  std::set<std::string> complained_;
};

}  // namespace l4ward::agent
