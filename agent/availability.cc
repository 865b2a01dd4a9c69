#include "agent/availability.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace l4ward::agent {
namespace {

using config::BelowQuorum;
using Backends = std::map<Endpoint, Backend>;

struct Sum {
  std::size_t servers = 0;
  std::uint64_t weight = 0;
};

// Of those that `counts` picks.
template <typename Picker>
Sum sum(const Backends& backends, const Picker& counts) {
  Sum total;
  for (const auto& [endpoint, backend] : backends) {
    if (!counts(backend)) continue;
    total.servers += 1;
    total.weight += backend.weight;
  }
  return total;
}

bool reached(const VirtualService& service, const Sum& up, bool held) {
  const auto& quorum = service.quorum;
  const std::uint64_t needed = std::uint64_t{quorum.value} + (held ? 0 : quorum.hysteresis);
  switch (quorum.unit) {
    case config::Quorum::Unit::servers:
      return up.servers >= needed;
    case config::Quorum::Unit::weight:
      return up.weight >= needed;
    case config::Quorum::Unit::percent:
      break;
  }
  const auto all = sum(service.backends, [](const Backend&) { return true; });
  return all.weight > 0 && up.weight * 100 >= all.weight * needed;  // none of none is no quorum
}

// Which servers do what, for one moment.
struct Eyes {
  const HealthTable& health;
  TimePoint now;
  Millis deadline;

  bool serves(const Backend& backend) const { return health.isServing(backend, now); }
  bool isOpen(const Backend& backend) const { return !health.isVerified(backend, now, deadline); }
  bool anyServes(const Backends& backends) const {
    return std::ranges::any_of(backends, [&](const auto& entry) { return serves(entry.second); });
  }
  bool anyOpen(const Backends& backends) const {
    return std::ranges::any_of(backends, [&](const auto& entry) { return isOpen(entry.second); });
  }
};

bool isStale(Decision decision) {
  return decision == Decision::keep || decision == Decision::demote;
}
bool isWorse(Decision decision) {
  return decision == Decision::depreference || decision == Decision::demote;
}

Decision decideBelow(const ServiceView& service) {
  switch (service.below) {
    case BelowQuorum::keep:
      return Decision::keep;
    case BelowQuorum::depreference:
      return service.anyUp && service.complete && service.programmed ? Decision::depreference
                                                                     : Decision::demote;
    case BelowQuorum::withdraw:
      break;
  }
  return Decision::withdraw;
}

Decision decideOne(const ServiceView& service) {
  if (service.override == control::Action::disable) return Decision::withdraw;
  if (!service.exists) return Decision::withdraw;
  const bool isLost = !service.quorumPossible || (service.complete && !service.quorum);
  if (isLost) return decideBelow(service);
  return service.complete && service.programmed ? Decision::announce : Decision::keep;
}

// Both want the same routes: each has its say.
Decision joined(Decision a, Decision b) {
  if (a == Decision::withdraw || b == Decision::withdraw) return Decision::withdraw;
  const bool stale = isStale(a) || isStale(b);
  if (isWorse(a) || isWorse(b)) return stale ? Decision::demote : Decision::depreference;
  return stale ? Decision::keep : Decision::announce;
}

Decision better(Decision a, Decision b) {
  constexpr Decision kBestFirst[] = {Decision::announce, Decision::depreference, Decision::keep,
                                     Decision::demote, Decision::withdraw};
  return *std::ranges::find_if(kBestFirst, [&](Decision d) { return d == a || d == b; });
}

}  // namespace

Decision decide(bool addressPresent, std::span<const ServiceView> services,
                config::AnnounceWhen when) {
  if (!addressPresent || services.empty()) return Decision::withdraw;
  auto decision = decideOne(services.front());
  for (const auto& service : services.subspan(1)) {
    const auto other = decideOne(service);
    decision =
        when == config::AnnounceWhen::any ? better(decision, other) : joined(decision, other);
  }
  return decision;
}

bool isDrained(std::span<const ServiceView> services, config::AnnounceWhen when) {
  const auto drains = [](const ServiceView& service) {
    return service.override == control::Action::drain;
  };
  const bool any = std::ranges::any_of(services, drains);
  if (when == config::AnnounceWhen::all) return any;
  return any && std::ranges::all_of(services, [&](const ServiceView& service) {
           return drains(service) || decideOne(service) == Decision::withdraw;
         });
}

QuorumState quorumOf(const VirtualService& service, const HealthTable& health, bool held,
                     TimePoint now, Millis deadline) {
  const Eyes eyes{health, now, deadline};
  const auto up = sum(service.backends, [&](const Backend& b) { return eyes.serves(b); });
  if (reached(service, up, held)) return QuorumState::reached;
  const auto possible =
      sum(service.backends, [&](const Backend& b) { return eyes.serves(b) || eyes.isOpen(b); });
  return reached(service, possible, held) ? QuorumState::open : QuorumState::lost;
}

ServiceView viewOf(const VirtualService& service, const HealthTable& health, bool held,
                   TimePoint now, Millis deadline) {
  const Eyes eyes{health, now, deadline};
  const auto own = quorumOf(service, health, held, now, deadline);
  const bool backup = own != QuorumState::reached && eyes.anyServes(service.backups);
  ServiceView view;
  view.below = service.belowQuorum;
  view.anyUp = backup || eyes.anyServes(service.backends);
  view.quorum = backup || own == QuorumState::reached;
  view.quorumPossible = backup || own != QuorumState::lost || eyes.anyOpen(service.backups);
  // The backup pool's verdicts matter where the pool's own servers are not enough.
  view.complete = !eyes.anyOpen(service.backends) &&
                  (own == QuorumState::reached || !eyes.anyOpen(service.backups));
  return view;
}

bool inPanic(const VirtualService& service, const HealthTable& health, TimePoint now,
             Millis deadline) {
  if (service.panicThreshold == 0 || service.backends.empty()) return false;
  if (Eyes{health, now, deadline}.anyOpen(service.backends)) return false;
  const auto asked = sum(service.backends, [](const Backend& b) { return !b.override; });
  const auto up = sum(service.backends, [&](const Backend& b) { return health.isUp(b); });
  return up.servers * 100 < std::uint64_t{service.panicThreshold} * asked.servers;
}

std::string upOf(const std::map<Endpoint, Backend>& backends, const HealthTable& health) {
  const auto up = sum(backends, [&](const Backend& b) { return health.isUp(b); });
  return std::to_string(up.servers) + " of " + std::to_string(backends.size()) + " servers up";
}

std::string describe(const VirtualService& service, const HealthTable& health) {
  using Unit = config::Quorum::Unit;
  const auto& quorum = service.quorum;
  const auto* unit = quorum.unit == Unit::percent  ? "% of the weight"
                     : quorum.unit == Unit::weight ? " of the weight"
                                                   : "";
  return upOf(service.backends, health) + ", quorum " + std::to_string(quorum.value) + unit;
}

}  // namespace l4ward::agent
