#include <gtest/gtest.h>

#include "healthcheck/http_response.h"
#include "healthcheck/protocol.h"
#include "tests/healthcheck/dialogs.h"

namespace l4ward::healthcheck {
namespace {

std::unique_ptr<Protocol> http(const HttpProbe& probe, const Probe& whole = {}) {
  return std::move(httpProtocol(probe, whole).value());
}

std::unique_ptr<Protocol> wanting(std::string text, bool isPattern = false) {
  return http({.drain = {{404, 404}}, .body = Expectation{std::move(text), isPattern}});
}

Probe to(const std::string& target) {
  Probe whole;
  whole.target = Endpoint::parse(target).value();
  return whole;
}

std::string openingOf(const HttpProbe& probe, const Probe& whole) {
  const auto protocol = http(probe, whole);
  return std::string(protocol->begin()->opening());
}

std::string hostOf(const HttpProbe& probe, const Probe& whole) {
  const auto request = openingOf(probe, whole);
  const auto start = request.find("Host: ") + 6;
  return request.substr(start, request.find("\r\n", start) - start);
}

std::string ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

const std::string okToClose = "HTTP/1.0 200 OK\r\n\r\n";
const std::string okChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const Judgement pass = passed("status 200");

Judgement missing(const std::string& what, const std::string& where = "the body") {
  return failed(FailureKind::mismatch, "no " + what + " in " + where);
}

TEST(HttpProtocol, TheHostIsTheTargets) {
  auto whole = to("192.0.2.1:8080");
  EXPECT_EQ(hostOf({}, whole), "192.0.2.1:8080");
  EXPECT_EQ(hostOf({.host = "www.example.org"}, whole), "www.example.org:8080");
  whole.target.port = 443;
  EXPECT_EQ(hostOf({}, whole), "192.0.2.1:443");
  whole.tls.emplace();
  EXPECT_EQ(hostOf({}, whole), "192.0.2.1");
}

TEST(HttpProtocol, OnTheDataPathTheHostIsTheVips) {
  auto whole = to("192.0.2.1:8080");
  whole.dataPath.emplace().vip = Endpoint::parse("[2001:db8::1]:80").value();
  EXPECT_EQ(hostOf({}, whole), "[2001:db8::1]");
  EXPECT_EQ(hostOf({.host = "www.example.org"}, whole), "www.example.org");
  EXPECT_LT(openingOf({}, whole).size(), 200U);
}

TEST(HttpProtocol, AFullSizeRequestFillsAPacket) {
  auto whole = to("192.0.2.1:80");
  whole.dataPath.emplace().vip = whole.target;
  whole.dataPath->fullSize = true;
  EXPECT_GE(openingOf({}, whole).size(), 1500U);
}

TEST(HttpProtocol, WithoutABodyTheStatusDecides) {
  const auto protocol = http({});
  EXPECT_FALSE(protocol->begin()->connectionIsEnough());
  expectEveryWay(*protocol, ok("hello"), pass);
  expectEveryWay(*protocol, okToClose + "hello", pass);
  expectEveryWay(*protocol, "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
                 failed(FailureKind::badStatus, "status 302, expected 200"));
  expectEveryWay(*protocol, "", failed(FailureKind::closed, "closed without an answer"));
}

TEST(HttpProtocol, TheTextMustStandInTheBody) {
  const auto protocol = wanting("ready");
  const std::string chunks = okChunked + "5\r\nI'm r\r\n4\r\neady\r\n0\r\n\r\n";
  for (const auto& answer : {ok("I'm ready."), okToClose + "I'm ready.", chunks}) {
    expectEveryWay(*protocol, answer, pass);
  }
  for (const auto& answer : {ok("I'm not."), ok(""), okToClose + "I'm rea", okToClose,
                             okChunked + "0\r\n\r\n", okChunked + "6\r\nre;ady\r\n0\r\n\r\n"}) {
    expectEveryWay(*protocol, answer, missing("'ready'"));
  }
}

TEST(HttpProtocol, OnlyTheDecodedBodyCounts) {
  const auto protocol = wanting("ready");
  for (const std::string answer : {"HTTP/1.1 200 ready\r\nX: ready\r\nContent-Length: 2\r\n\r\nno",
                                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                                   "chunked\r\n\r\n2;ready=1\r\nno\r\n0\r\nX: ready\r\n\r\n",
                                   "HTTP/1.1 103 ready\r\nLink: ready\r\n\r\nHTTP/1.1 200 "
                                   "OK\r\nContent-Length: 2\r\n\r\nno"}) {
    expectEveryWay(*protocol, answer, missing("'ready'"));
  }
}

TEST(HttpProtocol, TheStatusGoesFirst) {
  const auto protocol = wanting("ready");
  expectEveryWay(*protocol, "HTTP/1.1 503 No\r\nContent-Length: 5\r\n\r\nready",
                 failed(FailureKind::badStatus, "status 503, expected 200"));
  expectEveryWay(*protocol, "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno",
                 {Answer::drain, FailureKind::none, "status 404", {}, {}});
}

TEST(HttpProtocol, ATextIsEnoughAsSoonAsItIsThere) {
  const auto protocol = wanting("ready");
  const auto dialog = protocol->begin();
  EXPECT_EQ(dialog->receive("HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\nrea"), std::nullopt);
  EXPECT_EQ(dialog->receive("dy"), pass);
}

TEST(HttpProtocol, APatternSeesTheWholeBody) {
  const auto protocol = wanting("^(ok)+$", true);
  expectEveryWay(*protocol, ok("okok"), pass);
  expectEveryWay(*protocol, okToClose + "okok", pass);
  expectEveryWay(*protocol, ok("okok, nearly"), missing("/^(ok)+$/"));
  expectEveryWay(*wanting("^$", true), ok(""), pass);
}

TEST(HttpProtocol, ACutAnswerIsNoMismatch) {
  expectEveryWay(*wanting("ready"), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nrea",
                 failed(FailureKind::closed, "closed after 41 bytes of an incomplete answer"));
}

TEST(HttpProtocol, OnlyTheBodysBeginningCounts) {
  const std::string before(maxMatchedBytes - 5, 'x');
  for (const bool isPattern : {false, true}) {
    const auto protocol = wanting("ready", isPattern);
    const auto lacks = missing(isPattern ? "/ready/" : "'ready'", "the body's first 64 KiB");
    for (const auto& start : {okToClose, std::string("HTTP/1.1 200 OK\r\n"
                                                     "Content-Length: 9999999\r\n\r\n")}) {
      expectEveryWay(*protocol, start + before + "ready", pass);
      expectEveryWay(*protocol, start + before + "xready", lacks);
    }
  }
}

TEST(HttpProtocol, AnAnswerToHeadHasNoBody) {
  const auto protocol = http({.method = "HEAD"});
  EXPECT_TRUE(protocol->begin()->opening().starts_with("HEAD / HTTP/1.1\r\n"));
  for (const std::string length :
       {"Content-Length: 4711\r\n", "Transfer-Encoding: chunked\r\n", ""}) {
    const auto dialog = protocol->begin();
    EXPECT_EQ(dialog->receive("HTTP/1.1 200 OK\r\n" + length + "\r\n"), pass) << length;
  }
  const auto dialog = protocol->begin();
  EXPECT_EQ(dialog->receive("HTTP/1.1 100 Continue\r\n\r\n"
                            "HTTP/1.1 200 OK\r\nContent-Length: 4711\r\n\r\n"),
            pass);
}

TEST(HttpProtocol, CountsWhatItReceived) {
  const auto protocol = http({});
  const auto dialog = protocol->begin();
  dialog->receive("HTTP/1.1");
  dialog->receive(" 200 OK");
  EXPECT_EQ(dialog->received(), 15U);
}

TEST(HttpProtocol, APatternThatIsNoneIsAnError) {
  EXPECT_FALSE(httpProtocol({.body = Expectation{"(", true}}, {}));
}

}  // namespace
}  // namespace l4ward::healthcheck
