#include "config/validate.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace l4ward::config {
namespace {

std::string servicePath(const Service& service, const std::string& key) {
  return joinPath(joinPath("services", service.name), key);
}

std::string vipPath(const Service& service, std::size_t index) {
  return servicePath(service, "vips") + "[" + std::to_string(index) + "]";
}

template <typename T>
std::vector<std::string> namesOf(const std::map<std::string, T>& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

void checkPool(const Site& site, const Pool& pool, Diagnostics& errors) {
  if (pool.check.empty() || site.checks.contains(pool.check)) return;
  errors.addAt(joinPath(joinPath("pools", pool.name), "check"), inQuotes(pool.check),
               "the name of a check, or none" + didYouMean(pool.check, namesOf(site.checks)));
}

void checkQuorum(const Service& service, const Pool& pool, Diagnostics& errors) {
  const auto servers = pool.servers.size();
  if (service.quorum.percent || servers == 0 || service.quorum.value <= servers) return;
  errors.addAt(
      servicePath(service, "quorum"), std::to_string(service.quorum.value) + " servers",
      "at most the " + std::to_string(servers) + " that pool " + inQuotes(pool.name) + " has");
}

bool hasFamily(const Server& server, Family family) {
  return std::any_of(server.addresses.begin(), server.addresses.end(),
                     [&](const auto& address) { return address.family() == family; });
}

// Only a tunnel can carry one family to a server of the other. One error a service and family.
void checkFamilies(const Service& service, const Pool& pool, Diagnostics& errors) {
  if (pool.forward == Forward::tunnel) return;
  const std::string how = pool.forward == Forward::direct ? "direct" : "masquerade";
  for (const auto family : {Family::v4, Family::v6}) {
    const auto vip = std::find_if(service.vips.begin(), service.vips.end(), [&](const auto& a) {
      return a.family() == family && !a.isUnspecified();
    });
    if (vip == service.vips.end()) continue;
    const Server* first = nullptr;
    std::size_t others = 0;
    for (const auto& server : pool.servers) {
      if (server.addresses.empty() || hasFamily(server, family)) continue;
      if (first == nullptr) {
        first = &server;
      } else {
        ++others;
      }
    }
    if (first == nullptr) continue;
    const std::string name(toString(family));
    std::string found = "VIP " + vip->str() + " of service " + inQuotes(service.name) +
                        ", and in pool " + inQuotes(pool.name) + " server " +
                        inQuotes(first->name) +
                        (others > 0 ? " and " + std::to_string(others) + " more" : "") +
                        " without an " + name + " address";
    errors.addAt(vipPath(service, static_cast<std::size_t>(vip - service.vips.begin())), found,
                 "an " + name + " address for every server, because `forward: " + how +
                     "` cannot cross families (tunnel can)");
  }
}

void checkVips(const Site& site, const Service& service, const Pool* pool, Diagnostics& errors) {
  for (std::size_t i = 0; i < service.vips.size(); ++i) {
    const auto& vip = service.vips[i];
    if (vip.isUnspecified()) continue;
    const auto report = [&](const std::string& owner) {
      errors.addAt(vipPath(service, i), vip.str() + ", the address of " + owner,
                   "an address of its own");
    };
    if (site.bgp) {
      for (const auto& neighbor : site.bgp->neighbors) {
        if (neighbor.address == vip) report("a BGP neighbor");
        if (neighbor.localAddress == vip) report("this node towards " + neighbor.address.str());
      }
    }
    if (pool == nullptr) continue;
    for (const auto& server : pool->servers) {
      const auto& own = server.addresses;
      if (std::find(own.begin(), own.end(), vip) == own.end()) continue;
      report("server " + inQuotes(server.name) + " in pool " + inQuotes(pool->name));
    }
  }
}

bool checkSize(const Site& site, Diagnostics& errors) {
  std::size_t endpoints = 0;
  for (const auto& [name, service] : site.services) {
    endpoints += service.vips.size() * service.ports.size();
  }
  if (endpoints <= kMaxEndpoints) return true;
  errors.addAt("services", std::to_string(endpoints) + " pairs of VIP and port",
               "at most " + std::to_string(kMaxEndpoints));
  return false;
}

// Each VIP, port and protocol belongs to one service. One error for a VIP of the later service.
void checkCollisions(const Site& site, Diagnostics& errors) {
  struct Owner {
    const Service* service;
    Place place;
  };
  std::vector<Owner> inOrder;
  for (const auto& [name, service] : site.services) {
    inOrder.push_back({&service, errors.placeOf(joinPath("services", name))});
  }
  std::sort(inOrder.begin(), inOrder.end(),
            [](const auto& a, const auto& b) { return a.place < b.place; });

  std::map<std::tuple<Protocol, IpAddress, std::uint16_t>, const Owner*> taken;
  for (const auto& owner : inOrder) {
    const auto& service = *owner.service;
    for (std::size_t i = 0; i < service.vips.size(); ++i) {
      const auto& vip = service.vips[i];
      bool reported = vip.isUnspecified();
      for (const auto port : service.ports) {
        const auto [first, fresh] = taken.emplace(std::tuple(service.protocol, vip, port), &owner);
        if (fresh || reported || first->second == &owner) continue;
        const auto& other = *first->second;
        errors.addAt(vipPath(service, i),
                     Endpoint{vip, port}.str() + ", which service " +
                         inQuotes(other.service->name) + " (line " +
                         std::to_string(other.place.line) + ") has too",
                     "each VIP, port and protocol in one service");
        reported = true;
      }
    }
  }
}

}  // namespace

void validate(const Site& site, Diagnostics& errors) {
  for (const auto& [name, pool] : site.pools) checkPool(site, pool, errors);
  for (const auto& [name, service] : site.services) {
    const auto pool = site.pools.find(service.pool);
    const bool known = pool != site.pools.end();
    checkVips(site, service, known ? &pool->second : nullptr, errors);
    if (known) {
      checkQuorum(service, pool->second, errors);
      checkFamilies(service, pool->second, errors);
    } else if (!service.pool.empty()) {
      errors.addAt(servicePath(service, "pool"), inQuotes(service.pool),
                   "the name of a pool" + didYouMean(service.pool, namesOf(site.pools)));
    }
  }
  if (checkSize(site, errors)) checkCollisions(site, errors);
}

}  // namespace l4ward::config
