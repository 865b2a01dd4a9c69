#include "base/canonical_text.h"
#include "healthcheck/job.h"

namespace l4ward::healthcheck {
namespace {

class Writer : public CanonicalText<Writer> {
 public:
  using CanonicalText::add;
  void add(const Expectation& e) { all(e.text, e.isPattern); }
  void add(const StatusRange& range) { all(range.first, range.last); }
  void add(const TcpProbe& p) { all(p.send, p.expect); }
  void add(const HttpProbe& p) {
    all(p.method, p.path, p.host, p.headers, p.http10, p.pass, p.drain, p.body);
  }
  void add(const DnsProbe& p) { all(p.name, p.type, p.answers, p.overTcp); }
  void add(const UdpProbe& p) { all(p.send, p.expect); }
  void add(const IcmpProbe&) {}
  void add(const GrpcProbe& p) { all(p.service, p.authority); }
  void add(const ExecProbe& p) { all(p.command, p.user); }
  void add(const FileProbe& p) { all(p.path); }
  void add(const AgentProbe& p) { all(p.send); }
  void add(const Tls& t) {
    all(t.serverName, t.verify, t.caFile, t.certificate, t.key, t.tls13, t.alpn, t.warnDays);
  }
  void add(const DataPath& d) { all(d.vip, d.mark, d.fullSize); }
};

}  // namespace

std::string fingerprint(const Probe& probe) {
  Writer writer;
  writer.all(probe.target, probe.source, probe.timeout.count(), probe.how.index());
  std::visit([&](const auto& how) { writer.add(how); }, probe.how);
  writer.all(probe.tls, probe.dataPath);
  return std::move(writer).take();
}

}  // namespace l4ward::healthcheck
