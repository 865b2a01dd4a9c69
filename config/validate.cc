#include "config/validate.h"

#include <algorithm>

#include "config/sections.h"
#include "config/validate_bgp.h"
#include "config/validate_checks.h"
#include "config/validate_vips.h"

namespace l4ward::config {
namespace {

// What all servers of the pool together come to; none if the pool does not say, or servers may come
// and go.
std::optional<std::uint64_t> mostOf(Quorum::Unit unit, const Pool& pool,
                                    const Diagnostics& errors) {
  if (unit == Quorum::Unit::percent) return 100;
  if (pool.servers.empty() || !pool.serversFrom.empty()) return std::nullopt;
  if (unit == Quorum::Unit::servers) return pool.servers.size();
  if (errors.isWrong(joinPath(joinPath("pools", pool.name), "servers"))) return std::nullopt;
  std::uint64_t weight = 0;
  for (const auto& server : pool.servers) weight += server.weight;
  return weight;
}

std::string amountText(const Quorum& quorum) {
  const auto value = std::to_string(quorum.value);
  if (quorum.unit == Quorum::Unit::servers) return value + " servers";
  if (quorum.unit == Quorum::Unit::weight) return "a weight of " + value;
  return value + " per cent";
}

void checkQuorum(const Service& service, const Pool& pool, Diagnostics& errors) {
  const auto& quorum = service.quorum;
  const auto most = mostOf(quorum.unit, pool, errors);
  if (!most || quorum.value + quorum.hysteresis <= *most) return;
  const auto path = servicePath(service, "quorum");
  const auto has =
      quorum.unit == Quorum::Unit::percent
          ? "100"
          : "the " + std::to_string(*most) + " that pool " + inQuotes(pool.name) + " has";
  if (quorum.value > *most) {
    errors.addAt(path, amountText(quorum), "at most " + has);
  } else {
    errors.addAt(joinPath(path, "hysteresis"),
                 std::to_string(quorum.hysteresis) + " above " + amountText(quorum),
                 "together at most " + has);
  }
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

void checkPool(const Site& site, const Service& service, Diagnostics& errors) {
  const auto pool = site.pools.find(service.pool);
  if (pool != site.pools.end()) {
    checkQuorum(service, pool->second, errors);
    checkFamilies(site.ipvs, service, pool->second, errors);
  } else if (!service.pool.empty()) {
    errors.addAt(servicePath(service, "pool"), inQuotes(service.pool),
                 "the name of a pool" + errors.guess(service.pool, site.pools));
  }
}

// While the backup pool takes over, the kernel has the servers of both.
void checkBackupPool(const Site& site, const Service& service, Diagnostics& errors) {
  const auto path = servicePath(service, "backup_pool");
  const auto pool = site.pools.find(service.pool);
  const auto backup = site.pools.find(service.backupPool);
  if (service.backupPool.empty()) return;
  if (service.backupPool == service.pool) {
    errors.addAt(path, inQuotes(service.backupPool) + ", the pool that it is to stand in for",
                 "another pool");
  } else if (backup == site.pools.end()) {
    errors.addAt(path, inQuotes(service.backupPool),
                 "the name of a pool" + errors.guess(service.backupPool, site.pools));
  } else {
    checkFamilies(site.ipvs, service, backup->second, errors);
    if (pool == site.pools.end()) return;
    const auto servers = pool->second.servers.size() + backup->second.servers.size();
    if (servers <= kMaxServers) return;
    errors.addAt(path,
                 std::to_string(servers) + " servers together with pool " + inQuotes(pool->first),
                 "at most " + std::to_string(kMaxServers));
  }
}

}  // namespace

std::vector<const Pool*> poolsOf(const Site& site, const Service& service) {
  std::vector<const Pool*> pools;
  for (const auto& name : std::set{service.pool, service.backupPool}) {
    if (const auto pool = site.pools.find(name); pool != site.pools.end()) {
      pools.push_back(&pool->second);
    }
  }
  return pools;
}

void validate(const Site& site, Diagnostics& errors) {
  for (const auto& [name, service] : site.services) {
    checkPool(site, service, errors);
    checkBackupPool(site, service, errors);
  }
  validateBgp(site, errors);
  validateChecks(site, errors);
  validateVips(site, errors);
}

}  // namespace l4ward::config
