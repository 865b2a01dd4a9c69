#include "agent/site_hash.h"

#include "base/canonical_text.h"
#include "base/hash.h"

namespace l4ward::agent {
namespace {

class Writer : public CanonicalText<Writer> {
 public:
  using CanonicalText::add;

  void add(const config::Check& c) {
    healthcheck::Probe probe;  // as far as it is the same for all servers
    probe.timeout = c.timeout;
    probe.how = c.how;
    probe.tls = c.tls;
    all(c.name, healthcheck::fingerprint(probe), c.port, c.viaTunnel, c.fullSize, c.interval,
        c.fastInterval, c.downInterval, c.rise, c.fall);
  }
  void add(const config::Tunnel& t) { all(t.type, t.port, t.checksum, t.remoteChecksum); }
  void add(const config::Thresholds& t) { all(t.upper, t.lower); }
  void add(const config::Server& s) { all(s.name, s.addresses, s.weight, s.thresholds); }
  void add(const config::Pool& p) {
    all(p.name, p.forward, p.tunnel, p.serverPort, p.checks, p.warmUp, p.agentWeights, p.servers);
  }
  void add(const config::Quorum& q) { all(q.value, q.unit, q.hysteresis); }
  void add(const config::Persistence& p) { all(p.timeout, p.prefix4, p.prefix6, p.engine); }
  void add(const config::RouteAttributes& r) {
    all(r.med, r.localPreference, r.prepend, r.communities, r.largeCommunities,
        r.extendedCommunities);
  }
  void add(const config::Service& s) {
    all(s.name, s.vips, s.ports, s.protocol, s.mark, s.pool, s.scheduler, s.schedulerFlags,
        s.persistence, s.onePacket, s.quorum, s.belowQuorum, s.panicThreshold, s.backupPool,
        s.routes);
  }
};

}  // namespace

std::string siteHash(const config::Site& site) {
  Writer writer;
  writer.all(site.checks, site.pools, site.services, site.announceWhen);
  return hashText(fnv1a(std::move(writer).take()));
}

}  // namespace l4ward::agent
