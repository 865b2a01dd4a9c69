#include "agent/model.h"

#include <string_view>
#include <utility>

#include "agent/check_compiler.h"

namespace l4ward::agent {
namespace {

ipvs::Path toPath(const config::Pool& pool) {
  switch (pool.forward) {
    case config::Forward::direct:
      return {ipvs::Forward::direct, {}};
    case config::Forward::masquerade:
      return {ipvs::Forward::masquerade, {}};
    case config::Forward::tunnel:
      break;
  }
  ipvs::Tunnel tunnel;
  tunnel.type = static_cast<ipvs::TunnelType>(pool.tunnel.type);
  tunnel.port = pool.tunnel.port;
  if (pool.tunnel.checksum) tunnel.flags |= ipvs::kTunnelChecksum;
  if (pool.tunnel.remoteChecksum) tunnel.flags |= ipvs::kTunnelRemoteChecksum;
  return {ipvs::Forward::tunnel, tunnel};
}

std::uint32_t toFlag(std::string_view name) {
  if (name == "mh-fallback" || name == "sh-fallback" || name == "flag-1") return ipvs::kFlagSched1;
  if (name == "mh-port" || name == "sh-port" || name == "flag-2") return ipvs::kFlagSched2;
  return ipvs::kFlagSched3;
}

ipvs::ServiceConfig toConfig(const config::Service& service, Family family) {
  ipvs::ServiceConfig config;
  config.scheduler = service.scheduler;
  config.flags = service.onePacket ? ipvs::kFlagOnePacket : 0;
  for (const auto& flag : service.schedulerFlags) config.flags |= toFlag(flag);
  if (!service.persistence) return config;
  config.flags |= ipvs::kFlagPersistent;
  config.timeout = static_cast<std::uint32_t>(service.persistence->timeout.count() / 1000);
  const auto prefix =
      family == Family::v4 ? service.persistence->prefix4 : service.persistence->prefix6;
  const unsigned whole = family == Family::v4 ? 32 : 128;
  if (prefix < whole) config.granularity = static_cast<std::uint8_t>(prefix);
  config.engine = service.persistence->engine;
  return config;
}

// The server's address for a VIP: of the same family, or, through a tunnel, of the other.
const IpAddress* addressFor(const config::Server& server, Family vip, bool tunnel) {
  for (const auto& address : server.addresses) {
    if (address.family() == vip) return &address;
  }
  return tunnel && !server.addresses.empty() ? &server.addresses.front() : nullptr;
}

class Compiler {
 public:
  explicit Compiler(const config::Site& site) : site_(site), checks_(site, model_) {}

  Model run() {
    for (const auto& [name, service] : site_.services) {
      const auto& pool = site_.pools.at(service.pool);
      model_.vips.insert(service.vips.begin(), service.vips.end());
      if (service.mark) {
        addMarkServices(service, pool);
      } else {
        for (const auto& vip : service.vips) addServices(service, pool, vip);
      }
    }
    checks_.assignMarks();
    return std::move(model_);
  }

 private:
  // One for each address and port.
  void addServices(const config::Service& service, const config::Pool& pool, const Prefix& vip) {
    const auto protocol = toIpvs(service.protocol);
    for (const auto port : service.ports) {
      auto pattern = toService(service, pool, vip.address.family(), port, {vip});
      auto address = vip.address;
      for (const auto last = vip.last(); address != last; address = address.next()) {
        model_.services.emplace(ipvs::ServiceKey{protocol, {address, port}}, pattern);
      }
      model_.services.emplace(ipvs::ServiceKey{protocol, {address, port}}, std::move(pattern));
    }
  }

  // One for each family that the VIPs have.
  void addMarkServices(const config::Service& service, const config::Pool& pool) {
    std::map<Family, std::set<Prefix>> vips;
    for (const auto& vip : service.vips) vips[vip.address.family()].insert(vip);
    for (const auto& [family, set] : vips) {
      model_.services.emplace(ipvs::ServiceKey::ofMark(*service.mark, family),
                              toService(service, pool, family, 0, set));
    }
  }

  // `port`: where the servers listen, unless their pool says it; 0: at the port that the client
  // used.
  VirtualService toService(const config::Service& service, const config::Pool& pool, Family family,
                           std::uint16_t port, const std::set<Prefix>& vips) {
    VirtualService out;
    out.service = service.name;
    out.pool = pool.name;
    out.vips = vips;
    out.config = toConfig(service, family);
    out.quorum = service.quorum;
    out.belowQuorum = service.belowQuorum;
    out.panicThreshold = service.panicThreshold;
    const auto& vip = vips.begin()->address;
    out.backends = toBackends(pool, family, port, vip, {});
    if (!service.backupPool.empty()) {
      out.backups = toBackends(site_.pools.at(service.backupPool), family, port, vip, out.backends);
    }
    return out;
  }

  using Backends = std::map<Endpoint, Backend>;

  // The pool's servers without those in `known`.
  Backends toBackends(const config::Pool& pool, Family family, std::uint16_t port,
                      const IpAddress& vip, const Backends& known) {
    Backends out;
    const auto path = toPath(pool);
    for (const auto& server : pool.servers) {
      const auto* address = addressFor(server, family, pool.forward == config::Forward::tunnel);
      if (!address) continue;
      const Endpoint endpoint{*address, pool.serverPort != 0 ? pool.serverPort : port};
      if (known.contains(endpoint)) continue;
      out[endpoint] = {server.name,
                       path,
                       {server.thresholds.upper, server.thresholds.lower},
                       server.weight,
                       checks_.add(pool, server, endpoint, path, vip),
                       pool.warmUp,
                       pool.agentWeights,
                       pool.name};
    }
    return out;
  }

  const config::Site& site_;
  Model model_;
  CheckCompiler checks_;
};

}  // namespace

ipvs::Protocol toIpvs(config::Protocol protocol) {
  switch (protocol) {
    case config::Protocol::tcp:
      return ipvs::Protocol::tcp;
    case config::Protocol::udp:
      return ipvs::Protocol::udp;
    case config::Protocol::sctp:
      break;
  }
  return ipvs::Protocol::sctp;
}

const Backend* VirtualService::find(const Endpoint& server) const {
  for (const auto* servers : {&backends, &backups}) {
    if (const auto found = servers->find(server); found != servers->end()) return &found->second;
  }
  return nullptr;
}

Model compile(const config::Site& site) {
  return Compiler(site).run();
}

}  // namespace l4ward::agent
