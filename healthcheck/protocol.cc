#include "healthcheck/protocol.h"

namespace l4ward::healthcheck {
namespace {

struct Make {
  const Probe& whole;

  using Made = Result<std::unique_ptr<Protocol>>;
  Made operator()(const TcpProbe& probe) const { return tcpProtocol(probe); }
  Made operator()(const HttpProbe& probe) const { return httpProtocol(probe, whole); }
  Made operator()(const AgentProbe& probe) const { return agentProtocol(probe); }
  Made operator()(const DnsProbe& probe) const { return dnsProtocol(probe); }
  Made operator()(const UdpProbe& probe) const { return udpProtocol(probe); }
  Made operator()(const GrpcProbe& probe) const { return grpcProtocol(probe, whole); }
  template <typename Other>
  Made operator()(const Other&) const {
    return fail("a probe of this kind is no conversation");
  }
};

}  // namespace

Result<std::unique_ptr<Protocol>> makeProtocol(const Probe& probe) {
  return std::visit(Make{probe}, probe.how);
}

}  // namespace l4ward::healthcheck
