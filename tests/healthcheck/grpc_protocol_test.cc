#include <gtest/gtest.h>

#include <random>

#include "healthcheck/protocol.h"
#include "tests/healthcheck/grpc_frames.h"

namespace l4ward::healthcheck {
namespace {

using namespace std::string_literals;
using namespace http2;

std::unique_ptr<Protocol> protocolFor(const std::string& service) {
  Probe probe;
  probe.target = Endpoint::parse("192.0.2.1:50051").value();
  return grpcProtocol(GrpcProbe{service, ""}, probe).value();
}

constexpr std::size_t allAtOnce = 1 << 20;

// What a dialog says to these bytes, in pieces, as to each of which it may reply.
std::optional<Judgement> say(const std::string& bytes, std::size_t piece = allAtOnce,
                             const std::string& service = "") {
  const auto protocol = protocolFor(service);
  const auto dialog = protocol->begin();
  std::size_t replied = 0;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    if (auto judgement = dialog->receive(std::string_view(bytes).substr(at, piece))) {
      return judgement;
    }
    replied += dialog->reply().size();
    EXPECT_LE(replied, 3 * 64 * 1024U);
  }
  return std::nullopt;
}

// It must not depend on how the bytes arrive.
void expectEveryWay(const std::string& bytes, const std::optional<Judgement>& expected,
                    const std::string& service = "") {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{100}, allAtOnce}) {
    EXPECT_EQ(say(bytes, piece, service), expected)
        << "by " << piece << ": " << say(bytes, piece, service).value_or(Judgement{}).reason;
  }
}

void expectKind(const std::string& bytes, FailureKind kind) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, allAtOnce}) {
    const auto judgement = say(bytes, piece);
    ASSERT_TRUE(judgement) << "by " << piece << ": " << testing::PrintToString(bytes);
    EXPECT_EQ(judgement->answer, Answer::fail);
    EXPECT_EQ(judgement->kind, kind) << judgement->reason;
    EXPECT_NE(judgement->reason, "");
    EXPECT_LE(judgement->reason.size(), 200U);
  }
}

Judgement bad(std::string reason) {
  return failed(FailureKind::badResponse, std::move(reason));
}

const Fields grpc200 = {{":status", "200"}, {"content-type", "application/grpc"}};

std::string message(const std::string& bytes, unsigned flags = none) {
  return frame(data, flags, 1,
               number(0, 1) + number(static_cast<std::uint32_t>(bytes.size())) + bytes);
}

// Headers, a message, trailers.
std::string answer(const std::string& bytes, const Fields& trailers = {{"grpc-status", "0"}}) {
  return serverPreface() + headersFrame(grpc200) + message(bytes) +
         headersFrame(trailers, endHeaders | endStream);
}

// Without a message.
std::string trailersOnly(const Fields& more) {
  Fields fields = grpc200;
  fields.insert(fields.end(), more.begin(), more.end());
  return serverPreface() + headersFrame(fields, endHeaders | endStream);
}

TEST(GrpcProtocol, ServingStatuses) {
  expectEveryWay(answer("\x08\x01"), passed("SERVING"));
  expectEveryWay(answer("\x08\x02"), failed(FailureKind::reported, "NOT_SERVING"));
  expectEveryWay(answer("\x08\x03"), failed(FailureKind::reported, "SERVICE_UNKNOWN"));
  expectEveryWay(answer(""), failed(FailureKind::reported, "UNKNOWN"));
  expectEveryWay(answer("\x08\x09"), bad("serving status 9 is not known"));
  expectEveryWay(answer("\x12\x03"
                        "new\x08\x01"),
                 passed("SERVING"));
}

TEST(GrpcProtocol, AnIncompleteAnswerIsNoVerdict) {
  const auto whole = answer("\x08\x01");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_EQ(say(whole.substr(0, size)), std::nullopt) << size;
  }
}

TEST(GrpcProtocol, ErrorsHaveNames) {
  const auto status = [](const std::string& code) {
    return trailersOnly({{"grpc-status", code}, {"grpc-message", "over%20%1bthere"}});
  };
  expectEveryWay(status("5"), bad("service 'shop' is unknown to the server (NOT_FOUND)"), "shop");
  expectEveryWay(status("5"), bad("the server has no status for itself as a whole (NOT_FOUND)"));
  expectEveryWay(trailersOnly({{"grpc-status", "12"}, {"grpc-message", "what?"}}),
                 bad("no health service (UNIMPLEMENTED)"));
  expectEveryWay(trailersOnly({{"grpc-status", "14"}, {"grpc-message", "no%0Adb"}}),
                 bad("gRPC error UNAVAILABLE: no db"));
  expectEveryWay(trailersOnly({{"grpc-status", "7"}}), bad("gRPC error PERMISSION_DENIED"));
  expectEveryWay(trailersOnly({{"grpc-status", "99"}}), bad("gRPC error code 99"));
  expectEveryWay(trailersOnly({{"grpc-status", "-1"}}), bad("grpc-status '-1' is not a number"));
  expectEveryWay(trailersOnly({{"grpc-status", ""}}), bad("grpc-status '' is not a number"));
  expectKind(trailersOnly({{"grpc-status", "2"}, {"grpc-message", std::string(5000, 'm')}}),
             FailureKind::badResponse);
}

TEST(GrpcProtocol, ErrorsInTrailersCountMoreThanTheMessage) {
  expectEveryWay(answer("\x08\x01", {{"grpc-status", "13"}}), bad("gRPC error INTERNAL"));
}

TEST(GrpcProtocol, WhatIsNotAGrpcAnswer) {
  const auto page = std::string(8000, '<');
  expectEveryWay(serverPreface() + headersFrame({{":status", "503"}}) + frame(data, none, 1, page),
                 failed(FailureKind::badStatus, "HTTP status 503, expected 200"));
  expectEveryWay(serverPreface() +
                     headersFrame({{":status", "200"}, {"content-type", "text/html"}}) +
                     frame(data, none, 1, page),
                 bad("content-type 'text/html' is not gRPC"));
  expectEveryWay(trailersOnly({}), bad("no grpc-status in the answer"));
  expectEveryWay(trailersOnly({{"grpc-status", "0"}}), bad("no message in the answer"));
  expectEveryWay(serverPreface() + headersFrame(grpc200) + message("\x08\x01", endStream),
                 bad("no grpc-status in the answer"));
  expectEveryWay(answer("\x08"), bad("the message is no HealthCheckResponse"));
}

TEST(GrpcProtocol, InterimAnswersAreSkipped) {
  expectEveryWay(serverPreface() + headersFrame({{":status", "103"}}) +
                     answer("\x08\x01").substr(serverPreface().size()),
                 passed("SERVING"));
}

TEST(GrpcProtocol, OtherProtocols) {
  const auto http1 = bad("the answer is HTTP/1, not HTTP/2");
  expectEveryWay("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", http1);
  expectEveryWay("HTTP/1.0 505 HTTP Version Not Supported\r\n\r\n", http1);
  const auto other = bad("the answer is not HTTP/2");
  expectEveryWay("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", other);
  expectEveryWay("\x15\x03\x01\x00\x02\x02\x46 and more"s, other);
  expectEveryWay(frame(ping, none, 0, "12345678"), other);
  expectEveryWay(headersFrame(grpc200), other);
}

TEST(GrpcProtocol, TheServerGivesUp) {
  const auto reset = frame(rstStream, none, 1, number(2));
  expectEveryWay(serverPreface() + reset, bad("call reset by the server: INTERNAL_ERROR"));
  expectEveryWay(serverPreface() + headersFrame(grpc200) + message("\x08\x01") + reset,
                 bad("call reset by the server: INTERNAL_ERROR"));
  const auto leaving = [](std::uint32_t lastStream, std::uint32_t error, const std::string& text) {
    return serverPreface() + frame(goaway, none, 0, number(lastStream) + number(error) + text);
  };
  expectEveryWay(
      leaving(0, 11, "too_many_\x1bpings"),
      bad("connection ended by the server (GOAWAY): ENHANCE_YOUR_CALM: too_many_ pings"));
  expectEveryWay(leaving(0, 0, ""), bad("connection ended by the server (GOAWAY): NO_ERROR"));
  expectEveryWay(leaving(1, 2, ""), bad("connection ended by the server (GOAWAY): INTERNAL_ERROR"));
}

TEST(GrpcProtocol, AServerThatLeavesInGoodOrderAnswersFirst) {
  const auto whole = answer("\x08\x01");
  const auto leaving = frame(goaway, none, 0, number(0x7fffffff) + number(0));
  expectEveryWay(
      whole.substr(0, serverPreface().size()) + leaving + whole.substr(serverPreface().size()),
      passed("SERVING"));
}

TEST(GrpcProtocol, BrokenRules) {
  const auto preface = serverPreface();
  for (const auto& broken : {
           preface + number(16385, 3) + "\x00\x00\x00\x00\x00\x01"s,             // frame too large
           preface + frame(headers, endHeaders, 1, "\xff\xff\xff\xff\xff\xff"),  // not HPACK
           preface + frame(data, none, 1, "before headers"),
           preface + frame(data, none, 3, "nobody's"),
           preface + frame(ping, none, 0, "short"),
           preface + frame(continuation, endHeaders, 1, ""),
           preface + headersFrame(grpc200, none) + frame(ping, none, 0, "12345678"),
           preface + headersFrame({{":status", "abc"}}),
           preface + headersFrame({{"content-type", "application/grpc"}}),
           preface + headersFrame({{":status", "200"}, {"Upper-Case", "x"}}),
           preface + headersFrame({{":status", "200"}, {"content-length", "3"}}) +
               message("\x08\x01"),
           preface + frame(windowUpdate, none, 0, number(0)),
       }) {
    expectKind(broken, FailureKind::badResponse);
  }
}

TEST(GrpcProtocol, WhatIsPushedIsNotTheAnswer) {
  const Fields request = {
      {":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}};
  Fields pushed = grpc200;
  pushed.emplace_back("grpc-status", "5");
  const auto push = frame(pushPromise, endHeaders, 1, number(2) + block(request)) +
                    frame(headers, endHeaders | endStream, 2, block(pushed));
  const auto whole = answer("\x08\x01");
  expectEveryWay(serverPreface() + push + whole.substr(serverPreface().size()), passed("SERVING"));
  expectKind(serverPreface() + frame(settings, ack, 0, "") + push, FailureKind::badResponse);
}

TEST(GrpcProtocol, MessagesAreBounded) {
  const auto large = [](std::size_t size) {
    return serverPreface() + headersFrame(grpc200) + frame(data, none, 1, std::string(size, '\0'));
  };
  EXPECT_EQ(say(large(4096)), std::nullopt);
  expectEveryWay(large(4097), failed(FailureKind::tooLarge, "message larger than 4 KiB"));
}

TEST(GrpcProtocol, HeadersAreBounded) {
  const auto tooLarge = failed(FailureKind::tooLarge, "headers larger than 16 KiB");
  Fields fields = grpc200;
  fields.emplace_back("x", std::string(12000, 'v'));
  EXPECT_EQ(say(serverPreface() + headersFrame(fields)), std::nullopt);
  fields.emplace_back("y", std::string(4230, 'v'));
  expectEveryWay(serverPreface() + headersFrame(fields), tooLarge);

  // One field of 4000 bytes put into HPACK's table, then named again and again by a byte.
  const std::string bomb = block(grpc200) + "\x40" + literal("x") +
                           literal(std::string(4000, 'v')) + std::string(12000, '\xbe');
  expectEveryWay(serverPreface() + frame(headers, endHeaders, 1, bomb), tooLarge);
}

TEST(GrpcProtocol, EndlessContinuations) {
  std::string empty = serverPreface() + headersFrame(grpc200, none);
  std::string full = empty;
  for (int i = 0; i < 10000; ++i) empty += frame(continuation, none, 1, "");
  for (int i = 0; i < 60; ++i) {
    full += frame(continuation, none, 1, block({{"x", std::string(1000, 'v')}}));
  }
  for (const auto& bytes : {empty, full}) {
    for (const std::size_t piece : {std::size_t{1}, allAtOnce}) {
      const auto judgement = say(bytes, piece);
      ASSERT_TRUE(judgement);
      EXPECT_EQ(judgement->answer, Answer::fail) << judgement->reason;
    }
  }
}

TEST(GrpcProtocol, FloodsEndInAJudgement) {
  const auto flood = [](const std::string& one) {
    std::string bytes = serverPreface();
    while (bytes.size() < 70 * 1024) bytes += one;
    return bytes;
  };
  const auto acknowledged = failed(FailureKind::tooLarge, "more than 100 PING and SETTINGS frames");
  expectEveryWay(flood(frame(ping, none, 0, "12345678")), acknowledged);
  expectEveryWay(flood(serverPreface()), acknowledged);
  const auto tooLarge = failed(FailureKind::tooLarge, "answer larger than 64 KiB");
  expectEveryWay(flood(frame(ping, ack, 0, "12345678")), tooLarge);
  expectEveryWay(flood(frame(windowUpdate, none, 0, number(1))), tooLarge);
  expectEveryWay(flood(frame(static_cast<Type>(200), none, 0, "unknown")), tooLarge);
  const auto dataFlood = serverPreface() + headersFrame(grpc200) +
                         flood(frame(data, none, 1, "")).substr(serverPreface().size());
  expectEveryWay(dataFlood, tooLarge);
}

TEST(GrpcProtocol, PingsAndSettingsAreAnswered) {
  const auto protocol = protocolFor("");
  const auto dialog = protocol->begin();
  EXPECT_EQ(dialog->reply(), "");
  EXPECT_EQ(dialog->receive(serverPreface()), std::nullopt);
  EXPECT_EQ(dialog->reply(), frame(settings, ack, 0, ""));
  EXPECT_EQ(dialog->reply(), "");
  EXPECT_EQ(dialog->receive(frame(ping, none, 0, "12345678")), std::nullopt);
  EXPECT_EQ(dialog->reply(), frame(ping, ack, 0, "12345678"));
}

TEST(GrpcProtocol, ClosedTooEarly) {
  const auto protocol = protocolFor("");
  const auto dialog = protocol->begin();
  EXPECT_EQ(dialog->end(), failed(FailureKind::closed, "closed without an answer"));
  EXPECT_EQ(dialog->receive(serverPreface()), std::nullopt);
  EXPECT_EQ(dialog->received(), 9U);
  EXPECT_EQ(dialog->end(),
            failed(FailureKind::closed, "closed after 9 bytes of an incomplete answer"));
}

// Damaged answers must end in some judgement or wait for more, whatever is damaged.
TEST(GrpcProtocol, SurvivesDamage) {
  std::mt19937 random(11);
  const std::string answers[] = {answer("\x08\x01"), trailersOnly({{"grpc-status", "5"}})};
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = answers[random() % std::size(answers)];
    for (auto damage = 1 + random() % 3; damage > 0; --damage) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const auto judgement = say(bytes, 1 + random() % 60);
    EXPECT_FALSE(judgement && judgement->reason.empty());
  }
}

}  // namespace
}  // namespace l4ward::healthcheck
