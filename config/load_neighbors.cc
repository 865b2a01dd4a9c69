#include "config/routing.h"
#include "config/sections.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

using namespace std::chrono_literals;

constexpr DurationRange kHoldTime{3s, 65535s};  // RFC 4271, 4.2: 0 or at least 3 seconds
constexpr NumberRange kMultihop{2, 255};
constexpr NumberRange kTtlSecurity{1, 254};  // RFC 5082: 255 less the hops in between
constexpr NumberRange kPort{1, 65535};

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

// As readSpeaker, for what `neighbor` is to reach.
std::optional<IpAddress> readOwn(const Value& value, const Neighbor& neighbor) {
  const auto address = readSpeaker(value);
  if (!address) return std::nullopt;
  if (address->family() != neighbor.address.family()) {
    value.error("an " + std::string(toString(neighbor.address.family())) +
                " address, as the neighbor's");
    return std::nullopt;
  }
  if (*address == neighbor.address) {
    value.error("an address of this node, not the neighbor's");
    return std::nullopt;
  }
  return address;
}

void readAddresses(const Record& record, const LocalSpeaker& local, Neighbor& neighbor) {
  if (const auto own = record.find("local_address")) {
    neighbor.localAddress = readOwn(*own, neighbor).value_or(IpAddress());
  } else if (neighbor.address.isV4()) {
    neighbor.localAddress = local.routerId.value_or(IpAddress());
  } else {
    record.require("local_address", "this node's IPv6 address towards " + neighbor.address.str() +
                                        " (only IPv4 neighbors have a default, router_id)");
  }
  const auto nextHop = record.find("next_hop");
  neighbor.nextHop =
      nextHop ? readOwn(*nextHop, neighbor).value_or(IpAddress()) : neighbor.localAddress;
}

void readSession(const Record& record, Neighbor& neighbor) {
  if (const auto hold = record.find("hold_time")) {
    neighbor.holdTime = hold->seconds(kHoldTime).value_or(neighbor.holdTime);
  }
  if (const auto file = record.find("password_file")) {
    neighbor.passwordFile =
        file->text(isAbsoluteFile, "an absolute path without blanks or quotes").value_or("");
  }
  neighbor.multihop = record.number("multihop", kMultihop, neighbor.multihop);
  neighbor.ttlSecurity = record.number("ttl_security", kTtlSecurity, neighbor.ttlSecurity);
  const auto security = record.find("ttl_security");
  if (security && record.has("multihop")) {
    security->error("this key for a neighbor with `multihop`", "one of the two");
  }
  neighbor.passive = record.boolean("passive", neighbor.passive);
  neighbor.port = static_cast<std::uint16_t>(record.number("port", kPort, neighbor.port));
}

// Remembers where each name stands, for validate.h.
std::set<std::string> readServiceNames(const Value& value) {
  std::set<std::string> names;
  for (const auto& item : value.list({1, kMaxNamed})) {
    const auto name = item.name();
    if (!name) continue;
    if (names.insert(*name).second) {
      value.errors().remember(joinPath(value.path(), *name), item.node().place);
    } else {
      item.error(item.describe() + " a second time", "each service once");
    }
  }
  return names;
}

// Local preference never leaves the AS, and within it nothing is prepended (RFC 4271, 5.1).
void checkReach(const Record& record, std::uint32_t localAs, std::uint32_t peerAs) {
  if (localAs == 0 || peerAs == 0) return;
  if (const auto prepend = record.find("prepend"); prepend && peerAs == localAs) {
    prepend->error("this key for a neighbor of the own AS",
                   "it for neighbors of other ASes: within the AS the path stays as it is");
  }
  if (const auto preference = record.find("local_preference"); preference && peerAs != localAs) {
    preference->error("this key for a neighbor of another AS",
                      "it for neighbors of the own AS, the only ones that hear it");
  }
}

std::optional<Neighbor> readNeighbor(const Value& value, const LocalSpeaker& local) {
  static const auto keys =
      withRouteKeys({"address", "peer_as", "local_address", "hold_time", "password_file",
                     "next_hop", "multihop", "ttl_security", "passive", "port", "services"});
  const Record record(value, keys);
  Neighbor neighbor;
  if (const auto as = record.require("peer_as", kAsText)) {
    neighbor.peerAs = as->number(kAsNumbers).value_or(0);
  }
  readSession(record, neighbor);
  if (const auto names = record.find("services")) neighbor.services = readServiceNames(*names);
  neighbor.routes = readRoutes(record);
  checkReach(record, local.as, neighbor.peerAs);
  const auto where = record.require("address", "the neighbor's address");
  const auto address = where ? readSpeaker(*where) : std::nullopt;
  if (!address) return std::nullopt;
  neighbor.address = *address;
  // ExaBGP sets no hop limit on IPv6 sessions that the peer opened.
  if (const auto security = record.find("ttl_security");
      security && neighbor.passive && !address->isV4()) {
    security->error("this key for a passive IPv6 neighbor", "one of the two");
  }
  readAddresses(record, local, neighbor);
  return neighbor;
}

}  // namespace

std::vector<Neighbor> readNeighbors(const Value& value, const LocalSpeaker& local) {
  std::vector<Neighbor> neighbors;
  std::map<IpAddress, int> lines;
  for (const auto& item : value.list({1, kMaxNeighbors})) {
    const auto neighbor = readNeighbor(item, local);
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

}  // namespace l4ward::config
