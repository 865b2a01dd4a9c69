// What is this node's fault and what the server's, as the kernel really reports it.
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/resource.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "tests/healthcheck/outcomes.h"
#include "tests/healthcheck/test_server.h"

namespace l4ward::healthcheck {
namespace {

using namespace std::chrono_literals;

void expectLocal(const Outcome& outcome, std::string_view words) {
  EXPECT_EQ(outcome.answer, Answer::localError) << outcome.reason;
  EXPECT_EQ(outcome.kind, FailureKind::local);
  EXPECT_NE(outcome.reason.find(words), outcome.reason.npos) << outcome.reason;
}

TEST(LocalErrors, SourceAddressIsNotOnThisNode) {
  Endpoint endpoint;
  const auto reserved = bindLoopback(Family::v4, std::nullopt, endpoint);
  auto probe = tcpProbe(endpoint);
  probe.source = IpAddress::parse("192.0.2.99").value();
  expectLocal(probeOnce(probe), "no interface holds this address");
}

// For new descriptors only; the old ones stay open.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{0, before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoMoreDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST(LocalErrors, NoDescriptorsAndBack) {
  Endpoint endpoint;
  const auto listener = bindLoopback(Family::v4, 128, endpoint);
  Outcomes outcomes;
  Prober prober(outcomes.sink());
  {
    const NoMoreDescriptors limited;
    prober.setJobs({makeJob(1, tcpProbe(endpoint), 50ms)});
    for (const auto& outcome : outcomes.waitFor(1, 3)) expectLocal(outcome, "Too many open files");
  }
  outcomes.forget();
  EXPECT_EQ(outcomes.waitFor(1, 3).back().answer, Answer::pass);
}

// Runs `body` on a thread with a network of its own: a loopback, and 192.0.2.1/24 (and
// 2001:db8::1/64) on one end of a pair of cables, behind whose other end is nobody.
// Returns false where this is not permitted.
bool inOwnNetwork(const std::function<void()>& body) {
  bool made = false;
  std::thread([&] {
    made = unshare(CLONE_NEWNET) == 0 &&
           system(
               "ip link set lo up 2>/dev/null && ip link add v0 type veth peer name v1 && "
               "ip link set v0 up && ip link set v1 up && "
               "ip address add 192.0.2.1/24 dev v0 && "
               "ip address add 2001:db8::1/64 dev v0 nodad") == 0;
    if (made) body();
  }).join();
  return made;
}

Outcome probeTcp(const char* target, Millis timeout = patience) {
  return probeOnce(tcpProbe(Endpoint::parse(target).value(), timeout));
}

TEST(LocalErrors, NoRoute) {
  const bool made = inOwnNetwork([] {
    expectLocal(probeTcp("198.51.100.1:80"), "no route to 198.51.100.1");
    expectLocal(probeTcp("[2001:db8:1::1]:80"), "no route to 2001:db8:1::1");
    ASSERT_EQ(system("ip route add prohibit 198.51.100.2 && ip route add blackhole 198.51.100.3 &&"
                     "ip route add unreachable 198.51.100.4"),
              0);
    expectLocal(probeTcp("198.51.100.2:80"), "forbidden by a route");
    expectLocal(probeTcp("198.51.100.3:80"), "cannot connect from this node");
    expectLocal(probeTcp("198.51.100.4:80"), "no route");
  });
  if (!made) GTEST_SKIP() << "needs the right to make a network namespace";
}

// The kernel's own EHOSTUNREACH, but later: nobody answers to the address on the link, so the
// server is dead. The same code from connect() itself would be a missing route.
TEST(LocalErrors, ADeadNeighbourIsNotLocal) {
  const bool made = inOwnNetwork([] {
    for (const char* path : {"/proc/sys/net/ipv4/neigh/v0/retrans_time_ms",
                             "/proc/sys/net/ipv6/neigh/v0/retrans_time_ms"}) {
      std::ofstream(path) << "100";  // instead of a second; it only makes the test faster
    }
    for (const char* target : {"192.0.2.77:80", "[2001:db8::77]:80"}) {
      const auto outcome = probeTcp(target);
      EXPECT_EQ(outcome.answer, Answer::fail) << outcome.reason;
      EXPECT_EQ(outcome.kind, FailureKind::unreachable) << outcome.reason;
      const auto soon = probeTcp(target, 50ms);
      EXPECT_EQ(soon.answer, Answer::fail) << soon.reason;
    }
  });
  if (!made) GTEST_SKIP() << "needs the right to make a network namespace";
}

}  // namespace
}  // namespace l4ward::healthcheck
