#include "healthcheck/attempt.h"
#include "healthcheck/tunnel_attempt.h"

namespace l4ward::healthcheck {
namespace {

struct Make {
  const Attempts::Shared& shared;
  const Probe& whole;

  using Made = Result<std::unique_ptr<Attempts>>;
  Made operator()(const UdpProbe&) const { return datagramAttempts(shared, whole); }
  Made operator()(const DnsProbe& probe) const {
    return probe.overTcp ? streamAttempts(shared, whole) : datagramAttempts(shared, whole);
  }
  Made operator()(const IcmpProbe&) const { return icmpAttempts(shared, whole); }
  Made operator()(const ExecProbe&) const { return execAttempts(shared, whole); }
  Made operator()(const FileProbe&) const { return fileAttempts(shared, whole); }
  template <typename Conversation>
  Made operator()(const Conversation&) const {
    return streamAttempts(shared, whole);
  }
};

}  // namespace

Result<std::unique_ptr<Attempts>> plainAttempts(const Attempts::Shared& shared,
                                                const Probe& probe) {
  return std::visit(Make{shared, probe}, probe.how);
}

Result<std::unique_ptr<Attempts>> makeAttempts(const Attempts::Shared& shared, const Probe& probe) {
  return probe.dataPath ? tunnelAttempts(shared, probe) : plainAttempts(shared, probe);
}

}  // namespace l4ward::healthcheck
