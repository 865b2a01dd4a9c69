#include "control/http_request.h"

#include <gtest/gtest.h>

namespace l4ward::control {
namespace {

TEST(HttpRequest, OneOfTwo) {
  const std::string first = "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto input = readHttpRequest(first + "HEAD / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(input.used, first.size());
  EXPECT_EQ(input.request.method, "GET");
  EXPECT_EQ(input.request.target, "/a?b=c");
  EXPECT_TRUE(input.request.keepAlive);
}

TEST(HttpRequest, EveryPrefixNeedsMore) {
  const std::string whole = "PURGE / HTTP/1.0\r\nHost: x\r\n\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto input = readHttpRequest(whole.substr(0, size));
    EXPECT_EQ(input.used, 0U) << size;
    EXPECT_EQ(input.refusal, 0U) << size;
  }
  EXPECT_EQ(readHttpRequest(whole).request.method, "PURGE");
  EXPECT_FALSE(readHttpRequest(whole).request.keepAlive);
}

TEST(HttpRequest, Refused) {
  const auto refusal = [](const std::string& bytes) { return readHttpRequest(bytes).refusal; };
  EXPECT_EQ(refusal("{\"command\":\"status\"}\n"), 400U);
  EXPECT_EQ(refusal("GET /\r\n\r\n"), 400U);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\n"), 413U);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"), 413U);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), 413U);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), 0U);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 0\r\n\r\n"), 400U);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nA: " + std::string(9000, 'x')), 431U);
  EXPECT_EQ(refusal("GET /" + std::string(9000, 'x')), 431U);
}

TEST(HttpRequest, Host) {
  const auto read = [](const std::string& fields) {
    return readHttpRequest("GET / HTTP/1.1\r\n" + fields + "\r\n");
  };
  EXPECT_EQ(read("host:  A.example:80 \r\n").request.host, "A.example:80");
  EXPECT_EQ(read("X-Host: a\r\n").request.host, "");
  EXPECT_EQ(read("Host: a\r\nHost: a\r\n").refusal, 400U);  // RFC 9112, 3.2
}

TEST(HttpRequest, OwnHost) {
  for (const auto* own : {"", "127.0.0.1", "127.0.0.1:9119", "[::1]", "[::1]:9119", "192.0.2.1",
                          "localhost", "LocalHost:9119", "lb4-1", "LB4-1:80"}) {
    EXPECT_TRUE(isOwnHost(own, "lb4-1")) << own;
  }
  for (const auto* other : {"rebound.example", "rebound.example:9119", "localhost.rebound.example",
                            "127.0.0.1.rebound.example", "[rebound.example]", "[]", "lb4-11", "lb4",
                            ":9119", "x:y:127.0.0.1", "127.0.0.1:x"}) {
    EXPECT_FALSE(isOwnHost(other, "lb4-1")) << other;
  }
}

TEST(HttpTarget, PathAndQuery) {
  const auto target = parseTarget("/vip/2001%3adb8::1?client=%5B::1%5D:80&x&y=a+b%2B&client=2&&");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/vip/2001:db8::1");
  EXPECT_EQ(target->get("client"), "2");
  EXPECT_EQ(target->get("y"), "a b+");
  EXPECT_TRUE(target->query.contains("x"));
  EXPECT_EQ(target->get("z"), "");
  EXPECT_EQ(parseTarget("/a+b")->path, "/a+b");
  for (const auto* const wrong : {"", "*", "http://x/", "/%", "/%4", "/%zz", "/%0a", "/?a=%00"}) {
    EXPECT_FALSE(parseTarget(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace l4ward::control
