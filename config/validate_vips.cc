#include "config/validate_vips.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "config/validate.h"

namespace l4ward::config {
namespace {

// One entry of a `vips`, without those that were wrong by themselves.
struct Vip {
  Prefix prefix;
  const Service* service;
  std::size_t index;
  Place place;

  std::string path() const { return vipPath(*service, index); }
};

std::vector<Vip> vipsOf(const Site& site, const Diagnostics& errors) {
  std::vector<Vip> vips;
  for (const auto& [name, service] : site.services) {
    for (std::size_t i = 0; i < service.vips.size(); ++i) {
      if (service.vips[i].address.isUnspecified()) continue;
      vips.push_back({service.vips[i], &service, i, errors.placeOf(vipPath(service, i))});
    }
  }
  return vips;
}

struct Located {
  const Service* service;
  Place place;
};

std::vector<Located> servicesInOrder(const Site& site, const Diagnostics& errors) {
  std::vector<Located> inOrder;
  for (const auto& [name, service] : site.services) {
    inOrder.push_back({&service, errors.placeOf(joinPath("services", name))});
  }
  std::sort(inOrder.begin(), inOrder.end(),
            [](const auto& a, const auto& b) { return a.place < b.place; });
  return inOrder;
}

// "service 'web' (line 7)"
std::string nameOf(const Service& service, Place place) {
  return "service " + inQuotes(service.name) + " (line " + std::to_string(place.line) + ")";
}

void reportOwner(const Vip& vip, const IpAddress& address, const std::string& owner,
                 Diagnostics& errors) {
  const std::string contains = vip.prefix.isHost() ? "" : "which contains " + address.str() + ", ";
  errors.addAt(vip.path(), vip.prefix.shortStr() + ", " + contains + "the address of " + owner,
               vip.prefix.isHost() ? "an address of its own" : "addresses of its own");
}

void checkNeighbors(const Bgp& bgp, const Vip& vip, Diagnostics& errors) {
  for (const auto& neighbor : bgp.neighbors) {
    if (vip.prefix.contains(neighbor.address)) {
      reportOwner(vip, neighbor.address, "a BGP neighbor", errors);
    }
    if (vip.prefix.contains(neighbor.localAddress)) {
      reportOwner(vip, neighbor.localAddress, "this node towards " + neighbor.address.str(),
                  errors);
    }
    if (neighbor.nextHop != neighbor.localAddress && vip.prefix.contains(neighbor.nextHop)) {
      reportOwner(vip, neighbor.nextHop, "the next hop for " + neighbor.address.str(), errors);
    }
  }
}

// Each pool's servers by address, so that a VIP's first one is found without looking at all.
using Servers = std::map<IpAddress, const Server*>;

std::map<std::string, Servers> serversOf(const Site& site) {
  std::map<std::string, Servers> all;
  for (const auto& [name, pool] : site.pools) {
    auto& servers = all[name];
    for (const auto& server : pool.servers) {
      for (const auto& address : server.addresses) servers.emplace(address, &server);
    }
  }
  return all;
}

void checkOwners(const Site& site, const std::vector<Vip>& vips, Diagnostics& errors) {
  const auto pools = serversOf(site);
  for (const auto& vip : vips) {
    if (site.bgp) checkNeighbors(*site.bgp, vip, errors);
    for (const auto* pool : poolsOf(site, *vip.service)) {
      const auto& servers = pools.at(pool->name);
      // A prefix is its own lowest address.
      const auto server = servers.lower_bound(vip.prefix.address);
      if (server == servers.end() || !vip.prefix.contains(server->first)) continue;
      reportOwner(vip, server->first,
                  "server " + inQuotes(server->second->name) + " in pool " + inQuotes(pool->name),
                  errors);
    }
  }
}

// VIPs that are equal may share a route and an address; of others that overlap, one would take the
// other's packets. Names the one that comes later in the file.
void checkOverlaps(const std::vector<Vip>& vips, Diagnostics& errors) {
  std::map<Prefix, const Vip*> firsts;
  for (const auto& vip : vips) {
    auto& first = firsts[vip.prefix];
    if (first == nullptr || vip.place < first->place) first = &vip;
  }
  std::map<Prefix, const Vip*> blamed;
  std::vector<const Vip*>
      around;  // prefixes that contain each other; they sort before what's inside
  for (const auto& [prefix, vip] : firsts) {
    while (!around.empty() && !around.back()->prefix.contains(prefix)) around.pop_back();
    if (!around.empty()) {
      const auto* outer = around.back();
      const bool inOrder = outer->place < vip->place;
      blamed.emplace((inOrder ? vip : outer)->prefix, inOrder ? outer : vip);
    }
    around.push_back(vip);
  }
  for (const auto& vip : vips) {
    const auto other = blamed.find(vip.prefix);
    if (other == blamed.end()) continue;
    errors.addAt(vip.path(),
                 vip.prefix.shortStr() + ", which overlaps " + other->second->prefix.shortStr() +
                     " of " + nameOf(*other->second->service, other->second->place),
                 "VIPs that are equal or have no address in common");
  }
}

constexpr auto kUncountable = std::numeric_limits<std::uint64_t>::max();

std::uint64_t pairsOf(const Vip& vip) {
  const auto ports = vip.service->ports.size();
  const auto size = vip.prefix.size();
  return ports > 0 && size > kUncountable / ports ? kUncountable : size * ports;
}

void reportPairs(const std::string& path, std::uint64_t pairs, Diagnostics& errors) {
  errors.addAt(
      path,
      (pairs == kUncountable ? "2^64 or more" : std::to_string(pairs)) + " pairs of VIP and port",
      "at most " + std::to_string(kMaxEndpoints) +
          "; with `mark` a service is one, whatever its VIPs and ports");
}

// At the VIP that is too much by itself, or else at `services`.
bool checkSize(const std::vector<Vip>& vips, Diagnostics& errors) {
  std::uint64_t all = 0;  // VIPs are fewer than the tree's nodes: no overflow
  bool good = true;
  for (const auto& vip : vips) {
    if (vip.service->mark) continue;
    if (const auto pairs = pairsOf(vip); pairs > kMaxEndpoints) {
      reportPairs(vip.path(), pairs, errors);
      good = false;
    } else {
      all += pairs;
    }
  }
  if (all <= kMaxEndpoints) return good;
  reportPairs("services", all, errors);
  return false;
}

std::string pairText(const Prefix& vip, std::uint16_t port) {
  if (port == 0) return vip.shortStr() + " at all ports";
  if (vip.isHost()) return Endpoint{vip.address, port}.str();
  return vip.shortStr() + " at port " + std::to_string(port);
}

// Each VIP, port and protocol belongs to one service. One error for a VIP of the later service.
void checkCollisions(const std::vector<Located>& inOrder, Diagnostics& errors) {
  std::map<std::tuple<Protocol, Prefix, std::uint16_t>, const Located*> taken;
  for (const auto& owner : inOrder) {
    const auto& service = *owner.service;
    if (service.mark) continue;
    for (std::size_t i = 0; i < service.vips.size(); ++i) {
      const auto& vip = service.vips[i];
      bool reported = vip.address.isUnspecified();
      for (const auto port : service.ports) {
        const auto [first, fresh] = taken.emplace(std::tuple(service.protocol, vip, port), &owner);
        if (fresh || reported || first->second == &owner) continue;
        const auto& other = *first->second;
        errors.addAt(
            vipPath(service, i),
            pairText(vip, port) + ", which " + nameOf(*other.service, other.place) + " has too",
            "each VIP, port and protocol in one service");
        reported = true;
      }
    }
  }
}

void checkMarks(const std::vector<Located>& inOrder, Diagnostics& errors) {
  std::map<std::uint32_t, const Located*> taken;
  for (const auto& owner : inOrder) {
    const auto mark = owner.service->mark.value_or(0);
    if (mark == 0) continue;
    const auto [first, fresh] = taken.emplace(mark, &owner);
    if (fresh) continue;
    errors.addAt(servicePath(*owner.service, "mark"),
                 std::to_string(mark) + ", which " +
                     nameOf(*first->second->service, first->second->place) + " has too",
                 "each mark in one service");
  }
}

// What a route says, in whatever order.
RouteAttributes sorted(RouteAttributes routes) {
  for (auto* list : {&routes.communities, &routes.largeCommunities, &routes.extendedCommunities}) {
    std::sort(list->begin(), list->end());
  }
  return routes;
}

// A VIP is one route, whose attributes all its services give it. One error a service.
void checkRoutes(const std::vector<Located>& inOrder, Diagnostics& errors) {
  std::map<const Service*, RouteAttributes> routes;
  std::map<Prefix, const Located*> firsts;
  for (const auto& owner : inOrder) {
    const auto& service = *owner.service;
    const auto& own = routes[&service] = sorted(service.routes);
    const auto path = servicePath(service, "bgp");
    bool reported = errors.isWrong(path);
    for (const auto& vip : service.vips) {
      const auto& first = *firsts.emplace(vip, &owner).first->second;
      if (reported || vip.address.isUnspecified() || routes[first.service] == own) continue;
      reported = true;
      if (errors.isWrong(servicePath(*first.service, "bgp"))) continue;
      errors.addAt(path,
                   "other attributes than " + nameOf(*first.service, first.place) +
                       " has, which shares " + vip.shortStr(),
                   "equal `bgp` in services that share a VIP");
    }
  }
}

// Suggestions for a VIP are sought among so many.
constexpr std::size_t kMaxSuggested = 1024;

void checkRules(const Site& site, Diagnostics& errors) {
  if (site.announceWhen.empty()) return;
  std::map<std::string, Prefix> known;
  for (const auto& [name, service] : site.services) {
    for (const auto& vip : service.vips) known.emplace(vip.shortStr(), vip);
  }
  for (const auto& [vip, when] : site.announceWhen) {
    const auto text = vip.shortStr();
    if (known.contains(text)) continue;
    errors.addAt(
        joinPath("vips", text), text,
        "a VIP of a service" + (known.size() > kMaxSuggested ? "" : errors.guess(text, known)));
  }
}

}  // namespace

std::string servicePath(const Service& service, const std::string& key) {
  return joinPath(joinPath("services", service.name), key);
}

std::string vipPath(const Service& service, std::size_t index) {
  return servicePath(service, "vips") + "[" + std::to_string(index) + "]";
}

void validateVips(const Site& site, Diagnostics& errors) {
  const auto vips = vipsOf(site, errors);
  const auto inOrder = servicesInOrder(site, errors);
  checkOwners(site, vips, errors);
  checkOverlaps(vips, errors);
  if (checkSize(vips, errors)) checkCollisions(inOrder, errors);
  checkMarks(inOrder, errors);
  checkRoutes(inOrder, errors);
  checkRules(site, errors);
}

}  // namespace l4ward::config
