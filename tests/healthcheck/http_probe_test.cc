#include "healthcheck/http_probe.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace l4ward::healthcheck {
namespace {

const auto target80 = Endpoint::parse("192.0.2.1:80").value();

std::string hostOf(const std::string& host, const std::string& target, bool tls = false) {
  const auto request = buildRequest({.host = host}, Endpoint::parse(target).value(), tls);
  const auto start = request.find("Host: ") + 6;
  return request.substr(start, request.find("\r\n", start) - start);
}

TEST(BuildRequest, IsOneWholeGet) {
  const HttpProbe probe{.path = "/healthcheck?deep=1", .host = "www.example.org"};
  EXPECT_EQ(buildRequest(probe, target80),
            "GET /healthcheck?deep=1 HTTP/1.1\r\n"
            "Host: www.example.org\r\n"
            "User-Agent: l4ward\r\n"
            "Accept: */*\r\n"
            "Connection: close\r\n"
            "\r\n");
}

TEST(BuildRequest, MethodVersionAndHeadersAreTheProbes) {
  const HttpProbe probe{.method = "OPTIONS",
                        .headers = {{"Authorization", "Basic eDp5"}, {"X-Check", "1"}},
                        .http10 = true};
  EXPECT_EQ(buildRequest(probe, target80),
            "OPTIONS / HTTP/1.0\r\n"
            "Host: 192.0.2.1\r\n"
            "User-Agent: l4ward\r\n"
            "Accept: */*\r\n"
            "Authorization: Basic eDp5\r\n"
            "X-Check: 1\r\n"
            "Connection: close\r\n"
            "\r\n");
}

TEST(BuildRequest, OwnHeadersReplaceTheUsualOnes) {
  const HttpProbe probe{.headers = {{"accept", "text/plain"}, {"user-agent", "probe"}}};
  EXPECT_EQ(buildRequest(probe, target80),
            "GET / HTTP/1.1\r\n"
            "Host: 192.0.2.1\r\n"
            "accept: text/plain\r\n"
            "user-agent: probe\r\n"
            "Connection: close\r\n"
            "\r\n");
}

TEST(BuildRequest, OnlyMethodsWithContentSayThatThereIsNone) {
  const auto announces = [](const std::string& method) {
    const auto request = buildRequest({.method = method}, target80);
    return request.find("\r\nContent-Length: 0\r\n") != request.npos;
  };
  for (const std::string method : {"POST", "PUT", "PATCH"})
    EXPECT_TRUE(announces(method)) << method;
  for (const std::string method : {"GET", "HEAD", "OPTIONS"}) {
    EXPECT_FALSE(announces(method)) << method;
  }
}

TEST(BuildRequest, IsPaddedByOneHeaderThatIsNoPartOfAnother) {
  const auto plain = buildRequest({}, target80);
  for (std::size_t size = 0; size <= plain.size(); ++size) {
    EXPECT_EQ(buildRequest({}, target80, false, size), plain) << size;
  }
  for (const auto size :
       {plain.size() + 1, plain.size() + 13, plain.size() + 14, std::size_t{1600}}) {
    const auto padded = buildRequest({}, target80, false, size);
    EXPECT_GE(padded.size(), size);
    EXPECT_LE(padded.size(), std::max(size, plain.size() + 13));
    EXPECT_TRUE(padded.starts_with(plain.substr(0, plain.size() - 2) + "X-Padding: ")) << padded;
    EXPECT_EQ(padded.find("\r\n\r\n"), padded.size() - 4) << padded;
  }
}

TEST(BuildRequest, HostNamesThePortUnlessItIs80) {
  EXPECT_EQ(hostOf("", "192.0.2.1:80"), "192.0.2.1");
  EXPECT_EQ(hostOf("", "192.0.2.1:8080"), "192.0.2.1:8080");
  EXPECT_EQ(hostOf("", "[2001:db8::1]:80"), "[2001:db8::1]");
  EXPECT_EQ(hostOf("", "[2001:db8::1]:8080"), "[2001:db8::1]:8080");
  EXPECT_EQ(hostOf("www.example.org", "192.0.2.1:80"), "www.example.org");
  EXPECT_EQ(hostOf("www.example.org", "192.0.2.1:8080"), "www.example.org:8080");
}

TEST(BuildRequest, WithTlsThePortIsLeftOutIfItIs443) {
  EXPECT_EQ(hostOf("", "192.0.2.1:443", true), "192.0.2.1");
  EXPECT_EQ(hostOf("", "192.0.2.1:80", true), "192.0.2.1:80");
  EXPECT_EQ(hostOf("www.example.org", "[2001:db8::1]:443", true), "www.example.org");
  EXPECT_EQ(hostOf("", "192.0.2.1:443"), "192.0.2.1:443");
}

TEST(BuildRequest, AHostThatNamesItsPortStays) {
  EXPECT_EQ(hostOf("www.example.org:443", "192.0.2.1:8080"), "www.example.org:443");
  EXPECT_EQ(hostOf("[2001:db8::1]:443", "192.0.2.1:8080"), "[2001:db8::1]:443");
}

TEST(BuildRequest, AnIpv6HostIsBracketed) {
  EXPECT_EQ(hostOf("2001:db8::1", "192.0.2.1:80"), "[2001:db8::1]");
  EXPECT_EQ(hostOf("[2001:db8::1]", "192.0.2.1:80"), "[2001:db8::1]");
  EXPECT_EQ(hostOf("2001:db8::1", "192.0.2.1:81"), "[2001:db8::1]:81");
}

HttpProbe expecting(std::vector<StatusRange> pass, std::vector<StatusRange> drain = {}) {
  return {.pass = std::move(pass), .drain = std::move(drain)};
}

TEST(JudgeStatus, PassDrainAndFail) {
  const auto probe = expecting({{200, 200}}, {{404, 404}});
  EXPECT_EQ(judgeStatus(200, probe), passed("status 200"));
  EXPECT_EQ(judgeStatus(404, probe),
            (Judgement{Answer::drain, FailureKind::none, "status 404", {}, {}}));
  EXPECT_EQ(judgeStatus(503, probe), failed(FailureKind::badStatus, "status 503, expected 200"));
}

TEST(JudgeStatus, RangesIncludeTheirEnds) {
  const auto probe = expecting({{200, 299}, {404, 404}});
  EXPECT_EQ(judgeStatus(199, probe).reason, "status 199, expected 200-299 or 404");
  EXPECT_EQ(judgeStatus(200, probe).answer, Answer::pass);
  EXPECT_EQ(judgeStatus(299, probe).answer, Answer::pass);
  EXPECT_EQ(judgeStatus(300, probe).answer, Answer::fail);
  EXPECT_EQ(judgeStatus(404, probe).answer, Answer::pass);
}

TEST(JudgeStatus, DrainGoesBeforePass) {
  EXPECT_EQ(judgeStatus(204, expecting({{200, 299}}, {{204, 204}})).answer, Answer::drain);
}

}  // namespace
}  // namespace l4ward::healthcheck
