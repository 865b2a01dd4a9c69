// UDP probes between real sockets on the loopback.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "healthcheck/socket.h"
#include "tests/healthcheck/attempt_run.h"
#include "tests/healthcheck/dns_answers.h"
#include "tests/healthcheck/test_server.h"

namespace l4ward::healthcheck {
namespace {

using namespace std::string_literals;

// A bound UDP socket. The tests are its server, on the attempt's thread.
class UdpPeer {
 public:
  explicit UdpPeer(Family family)
      : socket_(::socket(family == Family::v4 ? AF_INET : AF_INET6,
                         SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    const SocketAddress any({IpAddress::parse(family == Family::v4 ? "127.0.0.1" : "::1").value()});
    if (bind(socket_.get(), any.get(), any.size) != 0) throw std::runtime_error("bind");
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    endpoint_ = endpointOf(bound);
  }

  const Endpoint& endpoint() const { return endpoint_; }
  // Where the last datagram came from.
  const Endpoint& client() const { return client_; }

  std::optional<std::string> receive() {
    char buffer[2048];
    size_ = sizeof from_;
    const auto n = recvfrom(socket_.get(), buffer, sizeof buffer, 0,
                            reinterpret_cast<sockaddr*>(&from_), &size_);
    if (n < 0) return std::nullopt;
    client_ = endpointOf(from_);
    return std::string(buffer, static_cast<std::size_t>(n));
  }

  void answer(std::string_view datagram) {
    const auto n = sendto(socket_.get(), datagram.data(), datagram.size(), 0,
                          reinterpret_cast<const sockaddr*>(&from_), size_);
    if (n < 0) throw std::runtime_error("sendto");
  }

  void close() { socket_.reset(); }

 private:
  static Endpoint endpointOf(const sockaddr_storage& address) {
    const auto& generic = reinterpret_cast<const sockaddr&>(address);
    const auto port = address.ss_family == AF_INET
                          ? reinterpret_cast<const sockaddr_in&>(address).sin_port
                          : reinterpret_cast<const sockaddr_in6&>(address).sin6_port;
    return {addressOf(generic).value(), ntohs(port)};
  }

  UniqueFd socket_;
  Endpoint endpoint_;
  Endpoint client_;
  sockaddr_storage from_{};
  socklen_t size_ = 0;
};

Probe udpProbe(const Endpoint& target) {
  Probe probe;
  probe.target = target;
  probe.how = UdpProbe{"ping", std::nullopt};
  return probe;
}

Probe dnsProbe(const Endpoint& target) {
  Probe probe;
  probe.target = target;
  probe.how = DnsProbe{"www.example", DnsType::a, {"192.0.2.1"}, false};
  return probe;
}

class DatagramAttempt : public testing::TestWithParam<Family> {
 protected:
  void SetUp() override {
    if (GetParam() == Family::v6 && !hasIpv6()) GTEST_SKIP() << "no IPv6";
  }
};

INSTANTIATE_TEST_SUITE_P(Families, DatagramAttempt, testing::Values(Family::v4, Family::v6),
                         [](const auto& each) { return std::string(toString(each.param)); });

TEST_P(DatagramAttempt, OneDatagramThereAndOneBack) {
  UdpPeer peer(GetParam());
  AttemptRun run(datagramAttempts, udpProbe(peer.endpoint()));
  run.start();
  EXPECT_EQ(peer.receive(), "ping");
  EXPECT_EQ(peer.receive(), std::nullopt);
  peer.answer("pong");
  EXPECT_EQ(run.finish(), passed("answered with 4 bytes"));
}

TEST_P(DatagramAttempt, EmptyDatagramsAreDatagrams) {
  UdpPeer peer(GetParam());
  auto probe = udpProbe(peer.endpoint());
  probe.how = UdpProbe{};
  AttemptRun run(datagramAttempts, probe);
  run.start();
  EXPECT_EQ(peer.receive(), "");
  peer.answer("");
  EXPECT_EQ(run.finish(), passed("answered with 0 bytes"));
}

TEST_P(DatagramAttempt, AClosedPortIsReportedAtOnce) {
  UdpPeer peer(GetParam());
  peer.close();
  EXPECT_EQ(runOnce(datagramAttempts, udpProbe(peer.endpoint())),
            failed(FailureKind::refused, "port unreachable"));
}

TEST_P(DatagramAttempt, OnlyTheTargetIsHeard) {
  UdpPeer peer(GetParam());
  AttemptRun run(datagramAttempts, udpProbe(peer.endpoint()));
  run.start();
  peer.receive();
  const UniqueFd stranger(::socket(GetParam() == Family::v4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0));
  const SocketAddress client(peer.client());
  ASSERT_EQ(sendto(stranger.get(), "no", 2, 0, client.get(), client.size), 2);
  peer.answer("pong");
  EXPECT_EQ(run.finish(), passed("answered with 4 bytes"));
}

TEST_P(DatagramAttempt, ForgedDnsAnswersArePassedOver) {
  UdpPeer peer(GetParam());
  AttemptRun run(datagramAttempts, dnsProbe(peer.endpoint()));
  auto& attempt = run.start();
  const auto query = peer.receive().value();
  EXPECT_EQ(attempt.timedOut(), failed(FailureKind::timeout, "no answer within 1s"));
  auto forged = answerTo(query, {.flags = 0x8183});
  forged[1] ^= 1;
  peer.answer(forged);
  const auto before = attempt.timedOut();
  run.runUntil([&] { return attempt.timedOut() != before; });
  EXPECT_EQ(attempt.timedOut(), failed(FailureKind::timeout,
                                       "no answer within 1s, only datagrams that answer something "
                                       "else"));
  peer.answer(answerTo(query, {.records = {record(1, "\xc0\x00\x02\x01"s)}}));
  EXPECT_EQ(run.finish(), passed("192.0.2.1"));
}

TEST_P(DatagramAttempt, CancelledItEndsSilently) {
  UdpPeer peer(GetParam());
  AttemptRun run(datagramAttempts, udpProbe(peer.endpoint()));
  auto& attempt = run.start();
  ASSERT_TRUE(peer.receive());
  peer.answer("pong");
  attempt.cancel();
  run.drain();
  EXPECT_FALSE(run.ended());
}

TEST_P(DatagramAttempt, ASourceThatIsNotOnThisNodeIsLocal) {
  UdpPeer peer(GetParam());
  auto probe = udpProbe(peer.endpoint());
  probe.source = IpAddress::parse(GetParam() == Family::v4 ? "192.0.2.99" : "2001:db8::99").value();
  const auto judgement = runOnce(datagramAttempts, probe);
  EXPECT_EQ(judgement.answer, Answer::localError);
  EXPECT_NE(judgement.reason.find("no interface holds this address"), std::string::npos)
      << judgement.reason;
}

TEST(DatagramSource, IsTheProbes) {
  UdpPeer peer(Family::v4);
  auto probe = udpProbe(peer.endpoint());
  probe.source = IpAddress::parse("127.0.0.77").value();
  AttemptRun run(datagramAttempts, probe);
  run.start();
  ASSERT_TRUE(peer.receive());
  EXPECT_EQ(peer.client().address, *probe.source);
  peer.answer("pong");
  EXPECT_EQ(run.finish().answer, Answer::pass);
}

TEST(DatagramDataPath, GoesToTheVirtualIp) {
  UdpPeer vip(Family::v4);
  auto probe = udpProbe(Endpoint::parse("192.0.2.1:53").value());
  probe.dataPath = DataPath{vip.endpoint(), 0, false};
  AttemptRun run(datagramAttempts, probe);
  run.start();
  ASSERT_TRUE(vip.receive());
  vip.answer("pong");
  EXPECT_EQ(run.finish().answer, Answer::pass);
}

// A link-local destination without its interface has no route: connect() refuses it by itself.
TEST(DatagramErrors, NoRouteIsLocal) {
  if (!hasIpv6()) GTEST_SKIP() << "no IPv6";
  const auto judgement =
      runOnce(datagramAttempts, udpProbe({IpAddress::parse("fe80::1").value(), 9}));
  EXPECT_EQ(judgement.answer, Answer::localError) << judgement.reason;
}

TEST(DatagramErrors, ATooLongDatagramIsLocal) {
  UdpPeer peer(Family::v4);
  auto probe = udpProbe(peer.endpoint());
  probe.how = UdpProbe{std::string(70000, 'x'), std::nullopt};
  const auto judgement = runOnce(datagramAttempts, probe);
  EXPECT_EQ(judgement, notMade("cannot send from this node: Message too long"));
}

}  // namespace
}  // namespace l4ward::healthcheck
