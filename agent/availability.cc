#include "agent/availability.h"

#include <algorithm>
#include <cstdint>

namespace l4ward::agent {
namespace {

// Servers and their weight: of those that `counts` picks.
template <typename Picker>
std::pair<unsigned, std::uint64_t> sum(const VirtualService& service, const Picker& counts) {
  std::pair<unsigned, std::uint64_t> total{0, 0};
  for (const auto& [endpoint, backend] : service.backends) {
    if (!counts(backend)) continue;
    total.first += 1;
    total.second += backend.weight;
  }
  return total;
}

bool reached(const VirtualService& service, std::pair<unsigned, std::uint64_t> up) {
  if (!service.quorum.percent) return up.first >= service.quorum.value;
  const auto all = sum(service, [](const Backend&) { return true; });
  return up.second * 100 >= all.second * service.quorum.value;
}

}  // namespace

Decision decide(bool addressPresent, std::span<const ServiceView> services) {
  const auto any = [&](auto what) { return std::any_of(services.begin(), services.end(), what); };
  if (!addressPresent || services.empty()) return Decision::withdraw;
  if (any([](const auto& s) { return !s.exists || !s.quorumPossible; })) return Decision::withdraw;
  if (any([](const auto& s) { return !s.complete; })) return Decision::keep;
  if (any([](const auto& s) { return !s.quorum; })) return Decision::withdraw;
  if (any([](const auto& s) { return !s.programmed; })) return Decision::keep;
  return Decision::announce;
}

ServiceView viewOf(const VirtualService& service, const HealthTable& health, TimePoint now,
                   Millis deadline) {
  const auto isUp = [&](const Backend& b) { return health.isServing(b, now); };
  const auto isOpen = [&](const Backend& b) { return !health.isVerified(b, now, deadline); };
  ServiceView view;
  view.complete = sum(service, isOpen).first == 0;
  view.quorum = reached(service, sum(service, isUp));
  view.quorumPossible =
      reached(service, sum(service, [&](const Backend& b) { return isUp(b) || isOpen(b); }));
  return view;
}

std::string describe(const VirtualService& service, const HealthTable& health) {
  const auto up = sum(service, [&](const Backend& b) { return health.isUp(b); });
  return std::to_string(up.first) + " of " + std::to_string(service.backends.size()) +
         " servers up, quorum " + std::to_string(service.quorum.value) +
         (service.quorum.percent ? "% of the weight" : "");
}

}  // namespace l4ward::agent
