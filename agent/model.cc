#include "agent/model.h"

#include <algorithm>
#include <string_view>

namespace l4ward::agent {
namespace {

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

ipvs::Path toPath(const config::Pool& pool) {
  switch (pool.forward) {
    case config::Forward::direct:
      return {ipvs::Forward::direct, {}};
    case config::Forward::masquerade:
      return {ipvs::Forward::masquerade, {}};
    case config::Forward::tunnel:
      break;
  }
  constexpr std::uint16_t kEncapChecksum = 0x1;  // IP_VS_TUNNEL_ENCAP_FLAG_CSUM
  ipvs::Tunnel tunnel;
  tunnel.type = static_cast<ipvs::TunnelType>(pool.tunnel.type);
  tunnel.port = pool.tunnel.port;
  tunnel.flags = pool.tunnel.checksum ? kEncapChecksum : std::uint16_t{0};
  return {ipvs::Forward::tunnel, tunnel};
}

ipvs::ServiceConfig toConfig(const config::Service& service) {
  ipvs::ServiceConfig config;
  config.scheduler = service.scheduler;
  config.flags = 0;
  for (const auto& flag : service.schedulerFlags) {
    if (flag == "mh-fallback") config.flags |= ipvs::kFlagMhFallback;
    if (flag == "mh-port") config.flags |= ipvs::kFlagMhPort;
  }
  return config;
}

// The server's address for a VIP: of the same family, or, through a tunnel, of the other.
const IpAddress* addressFor(const config::Server& server, const IpAddress& vip, bool tunnel) {
  for (const auto& address : server.addresses) {
    if (address.family() == vip.family()) return &address;
  }
  return tunnel && !server.addresses.empty() ? &server.addresses.front() : nullptr;
}

std::vector<healthcheck::StatusRange> toRanges(const std::vector<config::StatusRange>& ranges) {
  std::vector<healthcheck::StatusRange> out;
  for (const auto& range : ranges) out.push_back({range.first, range.last});
  return out;
}

Check toCheck(const config::Check& check, const Endpoint& server) {
  Check out;
  out.name = check.name;
  out.policy = {check.rise, check.fall};
  out.job.interval = check.interval;
  out.job.fastInterval = check.fastInterval;
  auto& probe = out.job.probe;
  probe.target = {server.address, check.port.value_or(server.port)};
  probe.timeout = check.timeout;
  for (const auto& source : check.source) {
    if (source.family() == server.address.family()) probe.source = source;
  }
  if (check.type == config::CheckType::http) {
    probe.how = healthcheck::HttpProbe{check.path, check.host, toRanges(check.status),
                                       toRanges(check.drainStatus)};
  }
  return out;
}

// FNV-1a, 64 bits: stable in every run, which std::hash need not be.
CheckId hash(std::string_view text) {
  CheckId value = 14695981039346656037U;
  for (const unsigned char c : text) value = (value ^ c) * 1099511628211U;
  return value;
}

std::string describe(const Check& check) {
  const auto& probe = check.job.probe;
  std::string text = probe.target.str() + '\n';
  if (probe.source) text += probe.source->str();
  for (const auto number :
       {probe.timeout.count(), check.job.interval.count(), check.job.fastInterval.count(),
        Millis::rep{check.policy.rise}, Millis::rep{check.policy.fall}}) {
    text += '\n' + std::to_string(number);
  }
  if (const auto* http = std::get_if<healthcheck::HttpProbe>(&probe.how)) {
    text += '\n' + http->path + '\n' + http->host;
    for (const auto* ranges : {&http->pass, &http->drain}) {
      text += '\n';
      for (const auto& range : *ranges) {
        text += std::to_string(range.first) + '-' + std::to_string(range.last) + ',';
      }
    }
  }
  return text;
}

class Compiler {
 public:
  explicit Compiler(const config::Site& site) : site_(site) {}

  Model run() {
    for (const auto& [name, service] : site_.services) {
      const auto& pool = site_.pools.at(service.pool);
      for (const auto& vip : service.vips) {
        model_.vips.insert(vip);
        for (const auto port : service.ports) addService(service, pool, {vip, port});
      }
    }
    return std::move(model_);
  }

 private:
  void addService(const config::Service& service, const config::Pool& pool, const Endpoint& vip) {
    VirtualService out{service.name, pool.name, toConfig(service), service.quorum, {}};
    for (const auto& server : pool.servers) {
      const auto* address =
          addressFor(server, vip.address, pool.forward == config::Forward::tunnel);
      if (!address) continue;
      const Endpoint endpoint{*address, vip.port};
      out.backends[endpoint] = {server.name, toPath(pool), server.weight,
                                addCheck(pool, server, endpoint)};
    }
    model_.services.emplace(ipvs::ServiceKey{toIpvs(service.protocol), vip}, std::move(out));
  }

  std::optional<CheckId> addCheck(const config::Pool& pool, const config::Server& server,
                                  const Endpoint& endpoint) {
    if (pool.check.empty()) return std::nullopt;
    Check check = toCheck(site_.checks.at(pool.check), endpoint);
    check.job.id = hash(describe(check));
    check.server = server.name;
    auto& known = model_.checks.try_emplace(check.job.id, check).first->second;
    if (std::find(known.pools.begin(), known.pools.end(), pool.name) == known.pools.end()) {
      known.pools.push_back(pool.name);
    }
    return check.job.id;
  }

  const config::Site& site_;
  Model model_;
};

}  // namespace

Model compile(const config::Site& site) {
  return Compiler(site).run();
}

}  // namespace l4ward::agent
