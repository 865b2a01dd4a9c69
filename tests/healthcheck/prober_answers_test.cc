// What a probe says about servers of all kinds; real sockets on the loopback.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <fstream>
#include <mutex>

#include "tests/healthcheck/outcomes.h"
#include "tests/healthcheck/test_server.h"

namespace l4ward::healthcheck {
namespace {

using namespace std::chrono_literals;

constexpr Millis shortTimeout{300};

class ProberAnswers : public testing::TestWithParam<Family> {
 protected:
  void SetUp() override {
    if (GetParam() == Family::v6 && !hasIpv6()) GTEST_SKIP() << "no IPv6 on this machine";
  }

  static Outcome probeServer(Script script, Millis timeout = patience) {
    const TestServer server(GetParam(), std::move(script));
    return probeOnce(httpProbe(server.endpoint(), timeout));
  }
};

INSTANTIATE_TEST_SUITE_P(Families, ProberAnswers, testing::Values(Family::v4, Family::v6),
                         [](const auto& family) { return std::string(toString(family.param)); });

void expectFailure(const Outcome& outcome, FailureKind kind) {
  EXPECT_EQ(outcome.answer, Answer::fail) << outcome.reason;
  EXPECT_EQ(toString(outcome.kind), toString(kind)) << outcome.reason;
  EXPECT_FALSE(outcome.reason.empty());
}

TEST_P(ProberAnswers, Healthy) {
  const auto before = Clock::now();
  const auto outcome = probeServer(answerWithLength(200));
  EXPECT_EQ(outcome.answer, Answer::pass) << outcome.reason;
  EXPECT_EQ(outcome.kind, FailureKind::none);
  EXPECT_EQ(outcome.target, 1U);
  EXPECT_GE(outcome.at - outcome.latency, before);
  EXPECT_LE(outcome.at, Clock::now());
  EXPECT_GT(outcome.latency.count(), 0);
}

TEST_P(ProberAnswers, Drain) {
  EXPECT_EQ(probeServer(answerWithLength(404)).answer, Answer::drain);
}

TEST_P(ProberAnswers, BadStatus) {
  const auto outcome = probeServer(answerWithLength(503));
  expectFailure(outcome, FailureKind::badStatus);
  EXPECT_EQ(outcome.reason, "status 503, expected 200");
}

TEST_P(ProberAnswers, TheRequestNamesTheTarget) {
  std::mutex mutex;
  std::string request;
  const TestServer server(GetParam(), [&](Connection& connection) {
    const std::lock_guard lock(mutex);
    request = connection.readRequest();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  EXPECT_EQ(probeOnce(httpProbe(server.endpoint())).answer, Answer::pass);
  const std::lock_guard lock(mutex);
  EXPECT_EQ(request.rfind("GET /healthcheck HTTP/1.1\r\n", 0), 0U) << request;
  EXPECT_NE(request.find("\r\nHost: " + server.endpoint().str() + "\r\n"), request.npos);
}

TEST_P(ProberAnswers, Refused) {
  Endpoint endpoint;
  const auto reserved = bindLoopback(GetParam(), std::nullopt, endpoint);
  expectFailure(probeOnce(httpProbe(endpoint)), FailureKind::refused);
  expectFailure(probeOnce(tcpProbe(endpoint)), FailureKind::refused);
}

TEST_P(ProberAnswers, Silent) {
  const auto outcome =
      probeServer([](Connection& connection) { connection.waitForClose(); }, shortTimeout);
  expectFailure(outcome, FailureKind::timeout);
  EXPECT_EQ(outcome.reason, "no answer within 300ms");
  EXPECT_GE(outcome.latency, shortTimeout);
}

// One byte each half second: every wait is short, the answer as a whole is not.
TEST_P(ProberAnswers, Dripping) {
  const auto outcome = probeServer(
      [](Connection& connection) {
        const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        for (std::size_t i = 0; i < text.size(); ++i) {
          if (!connection.send(text.substr(i, 1)) || !connection.pause(500ms)) return;
        }
      },
      1200ms);
  expectFailure(outcome, FailureKind::timeout);
  EXPECT_EQ(outcome.reason.rfind("answer incomplete within 1200ms", 0), 0U) << outcome.reason;
  EXPECT_GE(outcome.latency, 1200ms);
  EXPECT_LT(outcome.latency, 8s);  // the whole answer takes 20
}

TEST_P(ProberAnswers, EndlessBody) {
  const auto outcome = probeServer([](Connection& connection) {
    connection.readRequest();
    connection.send("HTTP/1.1 200 OK\r\n\r\n");
    while (connection.send(std::string(10000, 'x'))) {
    }
  });
  EXPECT_EQ(outcome.answer, Answer::pass) << outcome.reason;
}

TEST_P(ProberAnswers, EndlessHeader) {
  const auto outcome = probeServer([](Connection& connection) {
    connection.readRequest();
    connection.send("HTTP/1.1 200 OK\r\n");
    while (connection.send("X-Header: value\r\n")) {
    }
  });
  expectFailure(outcome, FailureKind::tooLarge);
}

TEST_P(ProberAnswers, SixKilobytesOfHeader) {
  const auto outcome = probeServer(
      answer("HTTP/1.1 200 OK\r\nX: " + std::string(6144, 'v') + "\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(outcome.answer, Answer::pass) << outcome.reason;
}

TEST_P(ProberAnswers, Chunked) {
  const std::string start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
  EXPECT_EQ(probeServer(answer(start + "0\r\n\r\n")).answer, Answer::pass);
  expectFailure(probeServer(answer(start), shortTimeout), FailureKind::timeout);
}

TEST_P(ProberAnswers, InterimAnswers) {
  const auto outcome = probeServer([](Connection& connection) {
    connection.readRequest();
    connection.send("HTTP/1.1 100 Continue\r\n\r\n");
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    connection.waitForClose();
  });
  EXPECT_EQ(outcome.answer, Answer::pass) << outcome.reason;
}

TEST_P(ProberAnswers, Garbage) {
  expectFailure(probeServer(answer("SSH-2.0-OpenSSH_9.2\r\n")), FailureKind::badResponse);
}

TEST_P(ProberAnswers, ResetAtAccept) {
  expectFailure(probeServer([](Connection& connection) { connection.reset(); }),
                FailureKind::reset);
}

TEST_P(ProberAnswers, ResetInTheAnswer) {
  const auto outcome = probeServer([](Connection& connection) {
    connection.readRequest();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
    connection.reset();
  });
  expectFailure(outcome, FailureKind::reset);
}

TEST_P(ProberAnswers, ClosedWithoutAnAnswer) {
  expectFailure(probeServer([](Connection& connection) { connection.readRequest(); }),
                FailureKind::closed);
}

TEST_P(ProberAnswers, HalfClose) {
  const auto outcome = probeServer([](Connection& connection) {
    connection.readRequest();
    connection.send("HTTP/1.1 200 OK\r\n\r\nwithout a length");
    connection.halfClose();
    connection.waitForClose();
  });
  EXPECT_EQ(outcome.answer, Answer::pass) << outcome.reason;
}

TEST_P(ProberAnswers, TcpPassesWhenConnected) {
  const TestServer server(GetParam(), [](Connection& connection) { connection.waitForClose(); });
  const auto outcome = probeOnce(tcpProbe(server.endpoint()));
  EXPECT_EQ(outcome.answer, Answer::pass) << outcome.reason;
  EXPECT_EQ(outcome.reason, "connected");
}

// The kernel drops SYNs to a listener whose backlog is full: nobody answers.
TEST_P(ProberAnswers, NotConnected) {
  Endpoint endpoint;
  const auto listener = bindLoopback(GetParam(), 0, endpoint);
  std::vector<UniqueFd> fillers;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  for (int i = 0; i < 4; ++i) {
    fillers.emplace_back(socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    [[maybe_unused]] const int pending =
        connect(fillers.back().get(), reinterpret_cast<sockaddr*>(&address), size);
  }
  const auto outcome = probeOnce(tcpProbe(endpoint, shortTimeout));
  expectFailure(outcome, FailureKind::timeout);
  EXPECT_EQ(outcome.reason, "not connected within 300ms");
}

unsigned timeWaits(const Endpoint& server) {
  char port[8];
  snprintf(port, sizeof port, ":%04X ", server.port);
  unsigned count = 0;
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream table(path);
    for (std::string line; std::getline(table, line);) {
      if (line.find(port) != line.npos && line.find(" 06 ") != line.npos) ++count;
    }
  }
  return count;
}

TEST_P(ProberAnswers, LeavesNoTimeWait) {
  const TestServer server(GetParam(), answerWithLength(200));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(probeOnce(httpProbe(server.endpoint())).answer, Answer::pass);
    EXPECT_EQ(probeOnce(tcpProbe(server.endpoint())).answer, Answer::pass);
  }
  EXPECT_EQ(timeWaits(server.endpoint()), 0U);
}

// The reset replaces the handshake's last ACK, so most TCP probes never reach accept(). (Not all:
// the kernel sends the ACK after 40 ms, if this process gets no turn.)
TEST_P(ProberAnswers, TcpProbesDoNotBotherTheServersProgram) {
  const TestServer server(GetParam(), [](Connection& connection) { connection.waitForClose(); });
  Outcomes outcomes;
  {
    Prober prober(outcomes.sink());
    prober.setJobs({makeJob(1, tcpProbe(server.endpoint()), 5ms)});
    outcomes.waitFor(1, 30);
  }
  EXPECT_LT(server.accepted(), 15U);
}

TEST(ProberSource, IsTheServersPeer) {
  std::mutex mutex;
  IpAddress peer;
  const TestServer server(Family::v4, [&](Connection& connection) {
    connection.readRequest();
    const std::lock_guard lock(mutex);
    peer = connection.peer();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    connection.waitForClose();
  });
  auto probe = httpProbe(server.endpoint());
  probe.source = IpAddress::parse("127.0.0.77").value();
  EXPECT_EQ(probeOnce(probe).answer, Answer::pass);
  const std::lock_guard lock(mutex);
  EXPECT_EQ(peer, *probe.source);
}

}  // namespace
}  // namespace l4ward::healthcheck
