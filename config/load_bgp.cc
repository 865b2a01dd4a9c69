#include <algorithm>

#include "config/sections.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

using namespace std::chrono_literals;

constexpr NumberRange kAs{1, 4294967295};
constexpr DurationRange kHoldTime{3s, 65535s};  // RFC 4271, 4.2: 0 or at least 3 seconds
constexpr DurationRange kRouteHold{0s, 24h};
constexpr std::size_t kMaxCommunities = 64;
constexpr const char* kAsText = "the number of an autonomous system, 1 to 4294967295";

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

// An address that a BGP session can be made from or to.
std::optional<IpAddress> readSpeaker(const Value& value) {
  const auto address = value.address();
  if (!address) return std::nullopt;
  const bool needsZone = !address->isV4() && address->isLinkLocal();
  if (address->isUnspecified() || address->isMulticast() || needsZone) {
    value.error("an address of one host that needs no zone");
    return std::nullopt;
  }
  return address;
}

void readLocalAddress(const Record& record, Neighbor& neighbor,
                      const std::optional<IpAddress>& routerId) {
  const auto value = record.find("local_address");
  if (!value) {
    if (neighbor.address.isV4()) {
      neighbor.localAddress = routerId.value_or(IpAddress());
    } else {
      record.require("local_address", "this node's IPv6 address towards " + neighbor.address.str() +
                                          " (only IPv4 neighbors have a default, router_id)");
    }
    return;
  }
  const auto address = readSpeaker(*value);
  if (!address) return;
  if (address->family() != neighbor.address.family()) {
    value->error("an " + std::string(toString(neighbor.address.family())) +
                 " address, as the neighbor's");
  } else if (*address == neighbor.address) {
    value->error("an address of this node, not the neighbor's");
  } else {
    neighbor.localAddress = *address;
  }
}

std::optional<Neighbor> readNeighbor(const Value& value, const std::optional<IpAddress>& routerId) {
  const Record record(value, {"address", "peer_as", "local_address", "hold_time", "password_file"});
  Neighbor neighbor;
  if (const auto as = record.require("peer_as", kAsText)) {
    neighbor.peerAs = as->number(kAs).value_or(0);
  }
  if (const auto hold = record.find("hold_time")) {
    neighbor.holdTime = hold->seconds(kHoldTime).value_or(neighbor.holdTime);
  }
  if (const auto file = record.find("password_file")) {
    neighbor.passwordFile =
        file->text(isAbsoluteFile, "an absolute path without blanks or quotes").value_or("");
  }
  const auto where = record.require("address", "the neighbor's address");
  const auto address = where ? readSpeaker(*where) : std::nullopt;
  if (!address) return std::nullopt;
  neighbor.address = *address;
  readLocalAddress(record, neighbor, routerId);
  return neighbor;
}

// Keeps the places of the list: a neighbor without a usable address stays, as 0.0.0.0.
std::vector<Neighbor> readNeighbors(const Value& value, const std::optional<IpAddress>& routerId) {
  std::vector<Neighbor> neighbors;
  std::map<IpAddress, int> lines;
  for (const auto& item : value.list({1, kMaxNeighbors})) {
    const auto neighbor = readNeighbor(item, routerId);
    neighbors.push_back(neighbor.value_or(Neighbor()));
    if (!neighbor) continue;
    const auto [first, fresh] = lines.emplace(neighbor->address, item.node().place.line);
    if (!fresh) {
      item.error("neighbor " + neighbor->address.str() + " a second time",
                 "it once (line " + std::to_string(first->second) + " has it too)");
    }
  }
  return neighbors;
}

std::vector<std::string> readCommunities(const Value& value) {
  std::vector<std::string> communities;
  for (const auto& item : value.list({0, kMaxCommunities})) {
    const auto text = item.text(isCommunity, "a community such as 65001:80, each half 0 to 65535");
    if (!text) continue;
    if (std::find(communities.begin(), communities.end(), *text) != communities.end()) {
      item.error(inQuotes(*text) + " a second time", "each community once");
    } else {
      communities.push_back(*text);
    }
  }
  return communities;
}

}  // namespace

Bgp readBgp(const Value& value) {
  const Record record(
      value, {"local_as", "router_id", "neighbors", "communities", "med", "hold", "exabgp"});
  Bgp bgp;
  if (const auto as = record.require("local_as", kAsText)) {
    bgp.localAs = as->number(kAs).value_or(0);
  }
  const auto routerId = readRouterId(record);
  bgp.routerId = routerId.value_or(IpAddress());
  if (const auto neighbors = record.require("neighbors", "a list of BGP neighbors")) {
    bgp.neighbors = readNeighbors(*neighbors, routerId);
  }
  if (const auto communities = record.find("communities")) {
    bgp.communities = readCommunities(*communities);
  }
  if (const auto med = record.find("med")) bgp.med = med->number({0, 4294967295});
  bgp.hold = record.duration("hold", kRouteHold, bgp.hold);
  bgp.exabgp = static_cast<ExabgpMode>(record.choice("exabgp", {"managed", "external"}, 0));
  return bgp;
}

}  // namespace l4ward::config
