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
