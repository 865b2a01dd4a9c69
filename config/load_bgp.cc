#include <algorithm>

#include "config/routing.h"
#include "config/sections.h"

namespace l4ward::config {
namespace {

using namespace std::chrono_literals;

constexpr DurationRange kRouteHold{0s, 24h};
constexpr DurationRange kDelay{0s, 1h};
constexpr NumberRange kChanges{2, 100};
constexpr DurationRange kDamping{1s, 1h};
constexpr DurationRange kMaxHoldDown{1s, 24h};

std::optional<IpAddress> readRouterId(const Record& bgp) {
  const auto value = bgp.require("router_id", "an IPv4 address of this node");
  if (!value) return std::nullopt;
  const auto address = value->address();
  if (!address) return std::nullopt;
  if (!address->isV4() || address->isUnspecified() || address->isMulticast()) {
    value->error("an IPv4 address of this node");
    return std::nullopt;
  }
  return address;
}

Damping readDamping(const Value& value) {
  const Record record(value, {"changes", "within", "hold_down", "max"});
  Damping damping;
  if (const auto changes = record.require("changes", "how many withdrawals are too many")) {
    damping.changes = changes->number(kChanges).value_or(0);
  }
  damping.within = record.duration("within", kDamping, damping.within);
  damping.holdDown = record.duration("hold_down", kDamping, damping.holdDown);
  damping.max = record.duration("max", kMaxHoldDown, std::max(damping.max, damping.holdDown));
  if (damping.max < damping.holdDown) {
    record.find("max")->error("at least hold_down, which is " + formatDuration(damping.holdDown) +
                              (record.has("hold_down") ? "" : " by default"));
  }
  return damping;
}

// A map of nothing but attributes, each in place of its default.
void readOver(const Record& bgp, std::string_view key, RouteAttributes& routes) {
  if (const auto value = bgp.find(key))
    routes = readRoutes(Record(*value, withRouteKeys()), routes);
}

}  // namespace

Bgp readBgp(const Value& value) {
  static const auto keys =
      withRouteKeys({"local_as", "router_id", "neighbors", "hold", "min_hold", "announce_delay",
                     "damping", "depreference", "draining", "exabgp"});
  const Record record(value, keys);
  Bgp bgp;
  if (const auto as = record.require("local_as", kAsText)) {
    bgp.localAs = as->number(kAsNumbers).value_or(0);
  }
  const auto routerId = readRouterId(record);
  bgp.routerId = routerId.value_or(IpAddress());
  if (const auto neighbors = record.require("neighbors", "a list of BGP neighbors")) {
    bgp.neighbors = readNeighbors(*neighbors, {bgp.localAs, routerId});
  }
  bgp.routes = readRoutes(record);
  readOver(record, "depreference", bgp.depreference);
  readOver(record, "draining", bgp.draining);
  bgp.hold = record.duration("hold", kRouteHold, bgp.hold);
  bgp.minHold = record.duration("min_hold", kDelay, bgp.minHold);
  bgp.announceDelay = record.duration("announce_delay", kDelay, bgp.announceDelay);
  if (const auto damping = record.find("damping")) bgp.damping = readDamping(*damping);
  bgp.exabgp = static_cast<ExabgpMode>(record.choice("exabgp", {"managed", "external"}, 0));
  return bgp;
}

}  // namespace l4ward::config
