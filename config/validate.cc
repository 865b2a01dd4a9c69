#include "config/validate.h"

#include <algorithm>

#include "config/validate_checks.h"
#include "config/validate_vips.h"

namespace l4ward::config {
namespace {

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

// A VIP, and servers that have no address of its family.
struct Crossing {
  std::size_t vip = 0;
  std::string found;
};

std::optional<Crossing> crossingOf(const Service& service, const Pool& pool, Family family) {
  const auto vip =
      std::find_if(service.vips.begin(), service.vips.end(), [&](const auto& candidate) {
        return candidate.address.family() == family && !candidate.address.isUnspecified();
      });
  if (vip == service.vips.end()) return std::nullopt;
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
  if (first == nullptr) return std::nullopt;
  return Crossing{static_cast<std::size_t>(vip - service.vips.begin()),
                  "VIP " + vip->shortStr() + " of service " + inQuotes(service.name) +
                      ", and in pool " + inQuotes(pool.name) + " server " + inQuotes(first->name) +
                      (others > 0 ? " and " + std::to_string(others) + " more" : "") +
                      " without an " + std::string(toString(family)) + " address"};
}

// Only a tunnel can carry one family to a server of the other, and only while connections are not
// synchronised (ip_vs_add_dest and ip_vs_genl_new_daemon in net/netfilter/ipvs/ip_vs_ctl.c). One
// error a service and family.
void checkFamilies(const Ipvs& ipvs, const Service& service, const Pool& pool,
                   Diagnostics& errors) {
  const bool tunnel = pool.forward == Forward::tunnel;
  if (tunnel && !ipvs.syncMaster && !ipvs.syncBackup) return;
  for (const auto family : {Family::v4, Family::v6}) {
    const auto crossing = crossingOf(service, pool, family);
    if (!crossing) continue;
    const auto expected = "an " + std::string(toString(family)) + " address for every server, ";
    if (tunnel) {
      errors.addAt("ipvs.sync", crossing->found,
                   expected +
                       "because the kernel synchronises no connections while any service "
                       "crosses families");
    } else {
      const std::string how = pool.forward == Forward::direct ? "direct" : "masquerade";
      errors.addAt(vipPath(service, crossing->vip), crossing->found,
                   expected + "because `forward: " + how + "` cannot cross families (tunnel can)");
    }
  }
}

}  // namespace

void validate(const Site& site, Diagnostics& errors) {
  for (const auto& [name, service] : site.services) {
    const auto pool = site.pools.find(service.pool);
    const bool known = pool != site.pools.end();
    if (known) {
      checkQuorum(service, pool->second, errors);
      checkFamilies(site.ipvs, service, pool->second, errors);
    } else if (!service.pool.empty()) {
      errors.addAt(servicePath(service, "pool"), inQuotes(service.pool),
                   "the name of a pool" + didYouMean(service.pool, site.pools));
    }
  }
  validateChecks(site, errors);
  validateVips(site, errors);
}

}  // namespace l4ward::config
