#include "agent/vips.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

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
  present_.clear();
  const bool isThere = observe_ ? lookFor(interface, wanted) : addMissing(interface, wanted);
  lookDue_ = now + (isThere ? period : kRetry);
  return lookDue_;
}

bool Vips::lookFor(const std::string& interface, const std::set<Prefix>& wanted) {
  const auto found = interfaces_.list(interface);
  if (!found) {
    if (found.error().code != ENODEV) complain(interface, found.error());
    return false;
  }
  complained_.erase(interface);
  std::ranges::set_intersection(wanted, *found, std::inserter(present_, present_.end()));
  return present_.size() == wanted.size();
}

// Whether all are there.
bool Vips::addMissing(const std::string& interface, const std::set<Prefix>& wanted) {
  auto found = interfaces_.list(interface);
  if (!found && found.error().code == ENODEV) found = listNew(interface);
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

// Of an interface that is made first. On record before that, for the same reason as an address.
Result<std::set<Prefix>> Vips::listNew(const std::string& interface) {
  memory_.value.interfaces.insert(interface);
  memory_.save();
  if (const auto made = interfaces_.ensureInterface(interface); !made) {
    return tl::unexpected(made.error());
  }
  return interfaces_.list(interface);
}

void Vips::releaseOthers(const std::string& interface, const std::set<Prefix>& wanted) {
  if (observe_) return;
  for (auto& [name, owned] : memory_.value.addresses) {
    std::erase_if(owned, [&, &on = name](const Prefix& vip) {
      if (on == interface && wanted.contains(vip)) return false;
      // Without the interface, there is no address either.
      const auto removed = interfaces_.remove(on, vip);
      if (!removed && removed.error().code != ENODEV) {
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
