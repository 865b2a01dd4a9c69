#include "healthcheck/http_probe.h"

#include <gtest/gtest.h>

namespace l4ward::healthcheck {
namespace {

std::string hostOf(const std::string& host, const std::string& target) {
  HttpProbe probe;
  probe.host = host;
  const auto request = buildRequest(probe, Endpoint::parse(target).value());
  const auto start = request.find("Host: ") + 6;
  return request.substr(start, request.find("\r\n", start) - start);
}

TEST(BuildRequest, IsOneWholeGet) {
  HttpProbe probe;
  probe.path = "/healthcheck?deep=1";
  probe.host = "www.example.org";
  EXPECT_EQ(buildRequest(probe, Endpoint::parse("192.0.2.1:80").value()),
            "GET /healthcheck?deep=1 HTTP/1.1\r\n"
            "Host: www.example.org\r\n"
            "User-Agent: l4ward\r\n"
            "Accept: */*\r\n"
            "Connection: close\r\n"
            "\r\n");
}

TEST(BuildRequest, HostNamesThePortUnlessItIs80) {
  EXPECT_EQ(hostOf("", "192.0.2.1:80"), "192.0.2.1");
  EXPECT_EQ(hostOf("", "192.0.2.1:8080"), "192.0.2.1:8080");
  EXPECT_EQ(hostOf("", "[2001:db8::1]:80"), "[2001:db8::1]");
  EXPECT_EQ(hostOf("", "[2001:db8::1]:8080"), "[2001:db8::1]:8080");
  EXPECT_EQ(hostOf("www.example.org", "192.0.2.1:80"), "www.example.org");
  EXPECT_EQ(hostOf("www.example.org", "192.0.2.1:8080"), "www.example.org:8080");
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
  return {"/", "", std::move(pass), std::move(drain)};
}

TEST(JudgeStatus, PassDrainAndFail) {
  const auto probe = expecting({{200, 200}}, {{404, 404}});
  EXPECT_EQ(judgeStatus(200, probe), (Judgement{Answer::pass, FailureKind::none, "status 200"}));
  EXPECT_EQ(judgeStatus(404, probe), (Judgement{Answer::drain, FailureKind::none, "status 404"}));
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
