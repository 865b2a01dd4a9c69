// The HTTP server, by real clients.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <list>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/asio.h"
#include "tests/control/frontend_fixture.h"
#include "tests/control/sample_status.h"

namespace l4ward::control::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using Acceptor = asio::ip::tcp::acceptor;

Endpoint loopback(std::uint16_t port) {
  return {IpAddress::parse("127.0.0.1").value(), port};
}

// Holds a port of 127.0.0.1 that nobody else has.
class Port {
 public:
  Port()
      : acceptor_(loop_, {asio::ip::address_v4::loopback(), 0}),
        endpoint_(loopback(acceptor_.local_endpoint().port())) {}
  const Endpoint& endpoint() const { return endpoint_; }
  void free() { acceptor_.close(); }

 private:
  asio::io_context loop_;
  Acceptor acceptor_;
  Endpoint endpoint_;
};

// One that is not the loopback address.
std::optional<IpAddress> addressOfThisMachine() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return std::nullopt;
  std::optional<IpAddress> found;
  for (const auto* one = all; one; one = one->ifa_next) {
    if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET) continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr,
                text.data(), text.size());
    const auto address = IpAddress::parse(text.data());
    if (address && !address->isLoopback()) found = *address;
  }
  ::freeifaddrs(all);
  return found;
}

class HttpTest : public FrontendTest {
 protected:
  void serve(Frontend::Options options = {},
             const IpAddress& address = IpAddress::parse("127.0.0.1").value()) {
    Port port;
    address_ = {address, port.endpoint().port};
    port.free();
    start(std::move(options));
    frontend_->setHttp(address_);
    ASSERT_TRUE(until([&] { return Client::toPort(address_).connected(); }));
  }
  Client browser() const { return Client::toPort(address_); }
  std::string get(const std::string& target) const {
    auto peer = browser();
    peer.send("GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    return peer.httpAnswer();
  }
  static nlohmann::json bodyOf(const std::string& answer) {
    return nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n") + 4), nullptr, false);
  }

  Endpoint address_;
};

TEST_F(HttpTest, Endpoints) {
  backend_.answer = std::make_shared<NodeStatus>(sampleStatus());
  serve();
  struct Case {
    const char* target;
    const char* status;
    const char* text;
  };
  for (const auto& [target, status, text] : std::vector<Case>{
           {"/", "200", "<!doctype html>"},
           {"/metrics", "200", "# TYPE l4ward_"},
           {"/metrics?x=y", "200", "version=0.0.4"},
           {"/api/status", "200", "\"vips\":"},
           {"/api/events", "200", "\"events\":[]"},
           {"/api/events?after=x", "400", "\"code\":\"bad-request\""},
           {"/api/lookup?client=192.0.2.9:1&vip=198.51.100.1:80", "200", "192.0.2.9:1"},
           {"/api/lookup?client=192.0.2.9:1&vip=198.51.100.1:81", "404", "unknown-service"},
           {"/api/lookup?client=192.0.2.9:1", "400", "'vip' is missing"},
           {"/api/nothing", "404", "\"code\":\"not-found\""},
           {"/healthz", "200", "ok\n"},
           {"/vip/203.0.113.77", "404", "no virtual IP of this node"},
           {"/vip/x", "400", "not an IP address"},
           {"/nothing", "404", "there are: / /metrics"},
           {"/../etc/passwd", "404", "there are"},
           {"/%zz", "400", "no path"},
       }) {
    const auto answer = get(target);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::string(status) + " ")) << target;
    EXPECT_THAT(answer, HasSubstr(text)) << target;
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Security-Policy: default-src 'none';")) << target;
    EXPECT_THAT(answer, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n")) << target;
    EXPECT_THAT(answer, HasSubstr("\r\nCache-Control: no-store\r\n")) << target;
  }
  EXPECT_EQ(bodyOf(get("/api/status"))["node"]["name"], backend_.answer->node.name);
}

TEST_F(HttpTest, OtherTiers) {
  auto status = std::make_shared<NodeStatus>();
  status->node.phase = "running";
  status->relay.configured = true;
  status->vips.resize(2);
  status->vips[0].prefix = "198.51.100.1/32";
  status->vips[0].state = "announced";
  status->vips[1].prefix = "2001:db8::1/128";
  status->vips[1].state = "withdrawn";
  status->vips[1].because = "no quorum";
  backend_.answer = status;
  serve();
  EXPECT_THAT(get("/readyz"), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("not programmed"),
                                    HasSubstr("\nno BGP session is up\n")));
  EXPECT_THAT(get("/vip/198.51.100.1"), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("usable\n")));
  EXPECT_THAT(get("/vip/2001%3Adb8::1"),
              AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("withdrawn: no quorum\n")));
}

TEST_F(HttpTest, SilentAgent) {
  backend_.silent = true;
  serve({.patience = Millis(200)});
  EXPECT_THAT(get("/api/status"), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("\"timeout\"")));
  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(get("/api/lookup?client=192.0.2.9:1&vip=198.51.100.1:80"),
              StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(get("/"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(HttpTest, HeadIsGetWithoutBody) {
  serve();
  auto peer = browser();
  peer.send("HEAD /healthz HTTP/1.1\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n");
  EXPECT_THAT(peer.httpAnswer(false), HasSubstr("\r\nContent-Length: 3\r\n"));
  EXPECT_THAT(peer.httpAnswer(), EndsWith("\r\n\r\nok\n"));
}

TEST_F(HttpTest, KeepAliveAndClose) {
  serve();
  auto peer = browser();
  for (int i = 0; i < 3; ++i) {
    peer.send("GET /healthz HTTP/1.1\r\n\r\n");
    EXPECT_THAT(peer.httpAnswer(), HasSubstr("\r\nConnection: keep-alive\r\n"));
  }
  peer.send("GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(peer.rest(), AllOf(HasSubstr("\r\nConnection: close\r\n"), EndsWith("ok\n")));
  auto old = browser();
  old.send("GET /healthz HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old.rest(), EndsWith("ok\n"));
}

TEST_F(HttpTest, WhatIsRefused) {
  serve();
  const auto answer = [&](const std::string& request) {
    auto peer = browser();
    peer.send(request);
    return peer.httpAnswer();
  };
  EXPECT_THAT(answer("POST /api/status HTTP/1.1\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("\r\nAllow: GET, HEAD\r\n"),
                    HasSubstr("{\"error\":")));
  EXPECT_THAT(answer("OPTIONS * HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer("GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer("GET / HTTP/1.1\r\nA: " + std::string(100000, 'x')),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(answer("\x16\x03\x01\x02 hello, TLS\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(backend_.asked, 0);
}

// What a page of somebody else's would say whose name has come to mean 127.0.0.1.
TEST_F(HttpTest, AnotherNameForTheLoopbackAddress) {
  serve();
  const auto answer = [&](const std::string& host) {
    auto peer = browser();
    peer.send("GET /healthz HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return peer.httpAnswer();
  };
  EXPECT_THAT(answer("localhost:9119"), StartsWith("HTTP/1.1 200 "));
  const auto refused = answer("rebound.example:9119");
  EXPECT_THAT(refused, AllOf(StartsWith("HTTP/1.1 421 Misdirected Request\r\n"),
                             HasSubstr("\r\nConnection: close\r\n"),
                             HasSubstr("not 'rebound.example:9119'; ask for it as localhost")));
}

// There, who may come is a filter's to say, and Prometheus has names of its own for nodes.
TEST_F(HttpTest, AnyNameForAnotherAddress) {
  const auto own = addressOfThisMachine();
  if (!own) GTEST_SKIP() << "this machine has the loopback address only";
  serve({}, *own);
  auto peer = browser();
  peer.send("GET /healthz HTTP/1.1\r\nHost: lb4-1.example\r\n\r\n");
  EXPECT_THAT(peer.httpAnswer(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpTest, IdleClientsGo) {
  serve({.patience = Millis(100)});
  auto silent = browser();
  EXPECT_TRUE(silent.closedWithin());
  auto kept = browser();
  kept.send("GET /healthz HTTP/1.1\r\n\r\n");
  EXPECT_THAT(kept.httpAnswer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_TRUE(kept.closedWithin());
}

TEST_F(HttpTest, TooManyClients) {
  serve({.maxClients = 3});
  std::list<Client> clients;
  ASSERT_TRUE(until([&] {
    clients.push_back(browser());
    clients.back().send("GET /healthz HTTP/1.1\r\n\r\n");
    return clients.back().httpAnswer().starts_with("HTTP/1.1 503 ");
  }));
  EXPECT_LE(clients.size(), 4U);
  auto local = client();  // the socket has places of its own
  local.send("{\"command\":\"version\"}\n");
  EXPECT_THAT(local.line(), HasSubstr("\"ok\":true"));
}

TEST_F(HttpTest, AnotherAddress) {
  serve();
  Port other;
  const auto old = address_;
  auto kept = browser();
  kept.send("GET /healthz HTTP/1.1\r\n\r\n");
  EXPECT_THAT(kept.httpAnswer(), StartsWith("HTTP/1.1 200 "));

  frontend_->setHttp(other.endpoint());  // which is taken
  EXPECT_TRUE(kept.closedWithin());
  EXPECT_FALSE(Client::toPort(old).connected());
  other.free();
  ASSERT_TRUE(until([&] { return Client::toPort(other.endpoint()).connected(); }));
  frontend_->setHttp(std::nullopt);
  EXPECT_TRUE(until([&] { return !Client::toPort(other.endpoint()).connected(); }));
}

}  // namespace
}  // namespace l4ward::control::testing
