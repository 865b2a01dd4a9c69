#include "healthcheck/http_response.h"

#include <gtest/gtest.h>

#include <random>

namespace l4ward::healthcheck {
namespace {

// What the reader says, fed in pieces of `piece` bytes; nothing if it wants more.
std::optional<Judgement> read(const std::string& answer, std::size_t piece = 1 << 20) {
  static const HttpProbe probe{.drain = {{404, 404}}};
  ResponseReader reader(probe);
  for (std::size_t at = 0; at < answer.size(); at += piece) {
    const auto judgement = reader.feed(std::string_view(answer).substr(at, piece));
    if (judgement) return judgement;
  }
  return std::nullopt;
}

Judgement readToEnd(const std::string& answer) {
  static const HttpProbe probe;
  ResponseReader reader(probe);
  if (!answer.empty()) {
    if (const auto judgement = reader.feed(answer)) return *judgement;
  }
  return reader.end();
}

const std::string okLine = "HTTP/1.1 200 OK\r\n";
const std::string chunked = okLine + "Transfer-Encoding: chunked\r\n\r\n";

std::string withLength(const std::string& status, std::size_t length, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n" + body;
}

// The judgement must not depend on how the bytes arrive.
void expectEveryWay(const std::string& answer, const std::optional<Judgement>& expected) {
  for (const std::size_t piece : {1, 2, 3, 7, 100, 1 << 20}) {
    EXPECT_EQ(read(answer, piece), expected) << answer.substr(0, 200) << " by " << piece;
  }
}

const Judgement pass = passed("status 200");
const Judgement drain{Answer::drain, FailureKind::none, "status 404", {}, {}};

FailureKind kindOf(const std::optional<Judgement>& judgement) {
  return judgement ? judgement->kind : FailureKind::none;
}

TEST(ResponseReader, ALengthEndsTheAnswer) {
  expectEveryWay(withLength("200 OK", 5, "hello"), pass);
  expectEveryWay(withLength("200 OK", 0, ""), pass);
  expectEveryWay(withLength("404 Not Found", 5, "hello"), drain);
  expectEveryWay(withLength("503 No", 0, ""),
                 failed(FailureKind::badStatus, "status 503, expected 200"));
}

TEST(ResponseReader, AnIncompleteAnswerIsNoVerdict) {
  const auto whole = withLength("200 OK", 5, "hello");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_EQ(read(whole.substr(0, size)), std::nullopt) << size;
  }
}

TEST(ResponseReader, ChunksEndTheAnswer) {
  expectEveryWay(chunked + "5\r\nhello\r\n0\r\n\r\n", pass);
  expectEveryWay(chunked + "5;name=value\r\nhello\r\n3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n", pass);
  expectEveryWay(chunked + "5\r\nhello\r\n0\r\n", std::nullopt);
  expectEveryWay(chunked + "0\r\n\r\n", pass);
}

TEST(ResponseReader, SomeStatusesHaveNoBody) {
  expectEveryWay("HTTP/1.1 204 No Content\r\n\r\n",
                 failed(FailureKind::badStatus, "status 204, expected 200"));
}

TEST(ResponseReader, WithoutALengthTheEndIsTheServersClose) {
  EXPECT_EQ(readToEnd(okLine + "\r\n"), pass);
  EXPECT_EQ(readToEnd("HTTP/1.0 200 OK\r\n\r\nhello"), pass);
  EXPECT_EQ(read(okLine + "\r\nhello"), std::nullopt);
}

TEST(ResponseReader, ClosedTooEarly) {
  EXPECT_EQ(readToEnd(""), failed(FailureKind::closed, "closed without an answer"));
  EXPECT_EQ(readToEnd("HTTP/1."),
            failed(FailureKind::closed, "closed after 7 bytes of an incomplete answer"));
  EXPECT_EQ(readToEnd(okLine).kind, FailureKind::closed);
  EXPECT_EQ(readToEnd(withLength("200 OK", 5, "hell")).kind, FailureKind::closed);
  EXPECT_EQ(readToEnd(chunked + "5\r\nhello\r\n").kind, FailureKind::closed);
}

TEST(ResponseReader, AnEndlessBodyIsCutAndJudgedByItsStatus) {
  const std::string body(maxBodyBytes, 'x');
  expectEveryWay(okLine + "\r\n" + body, pass);
  EXPECT_EQ(read(okLine + "\r\n" + body.substr(1)), std::nullopt);
  EXPECT_EQ(read(withLength("200 OK", 1 << 30, body)), pass);
  EXPECT_EQ(read("HTTP/1.1 404 Gone\r\n\r\n" + body), drain);
  EXPECT_EQ(read(chunked + "10000000\r\n" + body), pass);
}

TEST(ResponseReader, EndlessTinyChunksAreCutToo) {
  std::string answer = chunked;
  while (answer.size() < maxBodyBytes + 200) answer += "1\r\nx\r\n";
  expectEveryWay(answer, pass);
}

TEST(ResponseReader, AnEndlessChunkExtensionIsCutToo) {
  expectEveryWay(chunked + "5;" + std::string(maxBodyBytes, 'a'), pass);
}

TEST(ResponseReader, SixKilobytesOfHeadersAreFine) {
  std::string answer = okLine;
  for (int i = 0; i < 60; ++i) answer += "X-Header: " + std::string(88, 'v') + "\r\n";
  ASSERT_GE(answer.size(), 6000U);
  expectEveryWay(answer + "Content-Length: 0\r\n\r\n", pass);
  expectEveryWay(okLine + "X: " + std::string(6144, 'v') + "\r\nContent-Length: 0\r\n\r\n", pass);
}

TEST(ResponseReader, EndlessHeadersAreTooLarge) {
  std::string lines = okLine;
  while (lines.size() <= maxHeaderBytes) lines += "X-Header: value\r\n";
  const std::string oneLine = okLine + "X: " + std::string(maxHeaderBytes, 'v');
  const std::string statusLine = "HTTP/1.1 200 " + std::string(maxHeaderBytes, 'v');
  for (const auto& answer : {lines, oneLine, statusLine}) {
    for (const std::size_t piece : {1, 7, 1000, 16384, 1 << 20}) {
      EXPECT_EQ(kindOf(read(answer, piece)), FailureKind::tooLarge)
          << answer.substr(0, 30) << piece;
    }
  }
  EXPECT_EQ(read(oneLine)->reason, "header larger than 16 KiB");
}

TEST(ResponseReader, GarbageIsABadResponse) {
  for (const std::string garbage :
       {"SSH-2.0-OpenSSH_9.2\r\n", "220 mail.example.org ESMTP\r\n", "HTTP/2 200\r\n\r\n",
        "\r\n\r\n\r\n\r\n", "\x15\x03\x01", "h", "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\nLF: only\n\n\r\n\r\n"}) {
    EXPECT_EQ(kindOf(read(garbage)), FailureKind::badResponse) << garbage;
    EXPECT_EQ(kindOf(read(garbage, 1)), FailureKind::badResponse) << garbage;
  }
  EXPECT_EQ(kindOf(read(chunked + "zz\r\nhello\r\n")), FailureKind::badResponse);
  EXPECT_EQ(kindOf(read(okLine + "Content-Length: -1\r\n\r\n")), FailureKind::badResponse);
}

TEST(ResponseReader, InterimAnswersAreSkipped) {
  const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  std::string answer = "HTTP/1.1 100 Continue\r\n\r\n" + interim;
  expectEveryWay(answer, std::nullopt);
  expectEveryWay(answer + withLength("200 OK", 5, "hello"), pass);
  expectEveryWay(answer + "nonsense", failed(FailureKind::badResponse, "the answer is not HTTP/1"));
}

TEST(ResponseReader, InterimAnswersAreBounded) {
  std::string answer;
  for (unsigned i = 0; i < maxInterimAnswers; ++i) answer += "HTTP/1.1 100 Continue\r\n\r\n";
  expectEveryWay(answer + withLength("200 OK", 0, ""), pass);
  expectEveryWay(answer + "HTTP/1.1 100 Continue\r\n\r\n",
                 failed(FailureKind::badResponse, "more than 8 interim (1xx) answers"));
}

TEST(ResponseReader, SwitchingProtocolsIsFinal) {
  EXPECT_EQ(read("HTTP/1.1 101 Switching Protocols\r\n\r\n")->kind, FailureKind::badStatus);
}

TEST(ResponseReader, CountsWhatItReceived) {
  const HttpProbe probe;
  ResponseReader reader(probe);
  reader.feed("HTTP/1.1");
  reader.feed(" 200 OK");
  EXPECT_EQ(reader.received(), 15U);
}

// Damaged answers must end in some judgement or wait for more, whatever is damaged.
TEST(ResponseReader, SurvivesDamage) {
  std::mt19937 random(7);
  const std::string answers[] = {chunked + "5;a=\"b\"\r\nhello\r\n0\r\nX: 1\r\n\r\n",
                                 withLength("200 OK", 5, "hello"), okLine + "\r\nhello"};
  for (int i = 0; i < 30000; ++i) {
    std::string answer = answers[random() % std::size(answers)];
    for (auto damage = 1 + random() % 3; damage > 0; --damage) {
      answer[random() % answer.size()] = static_cast<char>(random());
    }
    const auto judgement = read(answer, 1 + random() % 9);
    EXPECT_FALSE(judgement && judgement->reason.empty());
  }
}

}  // namespace
}  // namespace l4ward::healthcheck
