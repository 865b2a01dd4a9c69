#include "agent/vips.h"

#include "base/log.h"

namespace l4ward::agent {

namespace {

constexpr Millis kRetry{1000};

}  // namespace

TimePoint Vips::ensure(const std::string& interface, const std::set<Prefix>& wanted, TimePoint now,
                       Millis period) {
  const bool same = interface == interface_ && present_ == wanted;
  if (same && now < lookDue_) return lookDue_;
  interface_ = interface;
  lookDue_ = now + (addMissing(interface, wanted) ? period : kRetry);
  return lookDue_;
}

// Whether all are there.
bool Vips::addMissing(const std::string& interface, const std::set<Prefix>& wanted) {
  present_.clear();
  if (const auto made = interfaces_.ensureInterface(interface); !made) {
    complain(interface, made.error());
    return false;
  }
  const auto found = interfaces_.list(interface);
  if (!found) {
    complain(interface, found.error());
    return false;
  }
  complained_.erase(interface);
  auto& owned = memory_.value.addresses[interface];
  for (const auto& vip : wanted) {
    if (!found->contains(vip)) {
      // On record first: an address that is not ours is never removed, so a kill between the two
      // must not leave one of ours unknown.
      if (owned.insert(vip).second) memory_.save();
      if (const auto added = interfaces_.add(interface, vip); !added) {
        complain(vip.shortStr(), added.error());
        continue;
      }
      log::info("vip.added", {{"vip", vip.shortStr()}, {"interface", interface}});
    }
    complained_.erase(vip.shortStr());
    present_.insert(vip);
  }
  return present_.size() == wanted.size();
}

void Vips::releaseOthers(const std::string& interface, const std::set<Prefix>& wanted) {
  for (auto& [name, owned] : memory_.value.addresses) {
    std::erase_if(owned, [&, &on = name](const Prefix& vip) {
      if (on == interface && wanted.contains(vip)) return false;
      if (const auto removed = interfaces_.remove(on, vip); !removed) {
        complain(vip.shortStr(), removed.error());
        return false;
      }
      log::info("vip.removed", {{"vip", vip.shortStr()}, {"interface", on}});
      return true;
    });
  }
  std::erase_if(memory_.value.addresses, [](const auto& entry) { return entry.second.empty(); });
  memory_.save();
}

void Vips::complain(const std::string& subject, const Error& error) {
  if (complained_.insert(subject).second) {
    log::error("vip.address_failed", {{"subject", subject}, {"reason", error.message}});
  }
}

}  // namespace l4ward::agent
