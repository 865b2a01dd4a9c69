// Pings of the loopback, by whatever socket this process may have.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "healthcheck/socket.h"
#include "tests/healthcheck/attempt_run.h"
#include "tests/healthcheck/test_server.h"

namespace l4ward::healthcheck {
namespace {

Probe icmpProbe(Family family) {
  Probe probe;
  probe.target.address = IpAddress::parse(family == Family::v4 ? "127.0.0.1" : "::1").value();
  probe.how = IcmpProbe{};
  return probe;
}

bool canOpen(const Probe& probe, int type) {
  const bool v4 = probe.target.address.isV4();
  return static_cast<bool>(openSocket(probe, type, v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6}));
}

bool mayPing(const Probe& probe) {
  return canOpen(probe, SOCK_DGRAM) || canOpen(probe, SOCK_RAW);
}

class IcmpAttempt : public testing::TestWithParam<Family> {
 protected:
  void SetUp() override {
    if (GetParam() == Family::v6 && !hasIpv6()) GTEST_SKIP() << "no IPv6";
  }
};

INSTANTIATE_TEST_SUITE_P(Families, IcmpAttempt, testing::Values(Family::v4, Family::v6),
                         [](const auto& each) { return std::string(toString(each.param)); });

TEST_P(IcmpAttempt, TheKernelRepliesOrForbidsToAsk) {
  const auto probe = icmpProbe(GetParam());
  EXPECT_EQ(runOnce(icmpAttempts, probe),
            mayPing(probe) ? passed("echo reply")
                           : notMade("no permission to send an echo request "
                                     "(CAP_NET_RAW, or net.ipv4.ping_group_range)"));
}

// Raw sockets all receive all replies: each attempt must find its own.
TEST_P(IcmpAttempt, ManyAtATime) {
  const auto probe = icmpProbe(GetParam());
  if (!mayPing(probe)) GTEST_SKIP() << "no permission to ping";
  std::vector<std::unique_ptr<AttemptRun>> runs;
  for (int i = 0; i < 20; ++i) {
    runs.push_back(std::make_unique<AttemptRun>(icmpAttempts, probe));
    runs.back()->start();
  }
  for (const auto& run : runs) EXPECT_EQ(run->finish(), passed("echo reply"));
}

TEST_P(IcmpAttempt, TheSourceIsBound) {
  auto probe = icmpProbe(GetParam());
  if (!mayPing(probe)) GTEST_SKIP() << "no permission to ping";
  probe.source = probe.target.address;
  EXPECT_EQ(runOnce(icmpAttempts, probe), passed("echo reply"));
  probe.source = IpAddress::parse(GetParam() == Family::v4 ? "192.0.2.99" : "2001:db8::99").value();
  EXPECT_EQ(runOnce(icmpAttempts, probe).answer, Answer::localError);
}

TEST_P(IcmpAttempt, CancelledItEndsSilently) {
  const auto probe = icmpProbe(GetParam());
  if (!mayPing(probe)) GTEST_SKIP() << "no permission to ping";
  AttemptRun run(icmpAttempts, probe);
  auto& attempt = run.start();
  EXPECT_EQ(attempt.timedOut(), failed(FailureKind::timeout, "no answer within 1s"));
  attempt.cancel();
  run.drain();
  EXPECT_FALSE(run.ended());
}

}  // namespace
}  // namespace l4ward::healthcheck
