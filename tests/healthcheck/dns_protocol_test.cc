#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "healthcheck/dns_message.h"
#include "healthcheck/protocol.h"
#include "tests/healthcheck/dns_answers.h"

namespace l4ward::healthcheck {
namespace {

using namespace std::string_literals;

DnsProbe probeOf(std::vector<std::string> answers, DnsType type = DnsType::a,
                 bool overTcp = false) {
  return {"www.example", type, std::move(answers), overTcp};
}

std::string ipv4(int last) {
  return record(1, "\xc0\x00\x02"s + static_cast<char>(last));
}

// What the dialog says to this answer, by a datagram.
std::optional<Judgement> judge(const DnsProbe& probe, const AnswerParts& parts) {
  const auto protocol = dnsProtocol(probe).value();
  const auto dialog = protocol->begin();
  return dialog->receive(answerTo(dialog->opening(), parts));
}

Judgement mismatch(std::string reason) {
  return failed(FailureKind::mismatch, std::move(reason));
}

Judgement badResponse(std::string reason) {
  return failed(FailureKind::badResponse, std::move(reason));
}

TEST(DnsProtocol, AsksForTheName) {
  const auto protocol = dnsProtocol(probeOf({})).value();
  const auto opening = std::string(protocol->begin()->opening());
  EXPECT_EQ(opening.substr(2), encodeDnsQuery(0, "www.example", DnsType::a)->substr(2));
}

TEST(DnsProtocol, EachDialogHasItsOwnId) {
  const auto protocol = dnsProtocol(probeOf({})).value();
  std::set<std::string> ids;
  for (int i = 0; i < 64; ++i) ids.emplace(protocol->begin()->opening().substr(0, 2));
  EXPECT_GT(ids.size(), 48U);  // 64 of 65536 hardly ever meet
}

TEST(DnsProtocol, AnyRecordWillDoWithoutExpectation) {
  EXPECT_EQ(judge(probeOf({}), {.records = {ipv4(1), ipv4(7)}}), passed("192.0.2.1, 192.0.2.7"));
}

TEST(DnsProtocol, EveryExpectedRecordMustBeThere) {
  const AnswerParts parts{.records = {ipv4(7), ipv4(8)}};
  EXPECT_EQ(judge(probeOf({"192.0.2.8", "192.0.2.7"}), parts)->answer, Answer::pass);
  EXPECT_EQ(judge(probeOf({"192.0.2.7", "192.0.2.1"}), parts),
            mismatch("no 192.0.2.1 among 192.0.2.7, 192.0.2.8"));
  EXPECT_EQ(judge(probeOf({"192.0.2.1"}), {}), mismatch("no A record"));
  EXPECT_EQ(judge(probeOf({}, DnsType::mx), {}), mismatch("no MX record"));
}

TEST(DnsProtocol, TextsAreComparedAsTheTypeWants) {
  const auto mx = be16(10) + wireName("MX1.example");
  const auto ipv6 = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\1";
  const struct {
    DnsType type;
    std::string data;
    std::string expected;
    Answer answer;
  } cases[] = {
      {DnsType::mx, mx, "10 mx1.Example.", Answer::pass},
      {DnsType::mx, mx, "10  mx1.example", Answer::pass},
      {DnsType::mx, mx, "1 mx1.example", Answer::fail},
      {DnsType::mx, be16(0) + wireName(""), "0 .", Answer::pass},
      {DnsType::aaaa, ipv6, "2001:DB8:0::1", Answer::pass},
      {DnsType::txt, "\3Key"s, "Key", Answer::pass},
      {DnsType::txt, "\3Key"s, "key", Answer::fail},
      {DnsType::cname, wireName("A.example"), "a.example.", Answer::pass},
  };
  for (const auto& [type, data, expected, answer] : cases) {
    const AnswerParts parts{.records = {record(static_cast<unsigned>(type), data)}};
    const auto judgement = judge(probeOf({expected}, type), parts);
    ASSERT_TRUE(judgement);
    EXPECT_EQ(judgement->answer, answer) << expected;
  }
}

TEST(DnsProtocol, TextsAreQuoted) {
  const AnswerParts parts{.records = {record(16, "\2on"), record(16, "\0"s)}};
  EXPECT_EQ(judge(probeOf({}, DnsType::txt), parts), passed("'on', ''"));
  EXPECT_EQ(judge(probeOf({"off"}, DnsType::txt), parts), mismatch("no 'off' among 'on', ''"));
}

TEST(DnsProtocol, AnErrorIsCalledByItsName) {
  EXPECT_EQ(judge(probeOf({}), {.flags = 0x8183}), badResponse("NXDOMAIN"));
  EXPECT_EQ(judge(probeOf({"192.0.2.1"}), {.flags = 0x8182, .records = {ipv4(1)}}),
            badResponse("SERVFAIL"));
}

TEST(DnsProtocol, ATruncatedAnswerMustHoldWhatIsExpected) {
  const AnswerParts parts{.flags = 0x8380, .records = {ipv4(1)}};
  EXPECT_EQ(judge(probeOf({"192.0.2.1"}), parts), passed("192.0.2.1"));
  EXPECT_EQ(judge(probeOf({}), parts), passed("192.0.2.1"));
  EXPECT_EQ(judge(probeOf({"192.0.2.2"}), parts), badResponse("answer truncated: use tcp"));
  EXPECT_EQ(judge(probeOf({}), {.flags = 0x8380}), badResponse("answer truncated: use tcp"));
}

TEST(DnsProtocol, DatagramsThatAnswerSomethingElseArePassedOver) {
  const auto protocol = dnsProtocol(probeOf({})).value();
  const auto dialog = protocol->begin();
  auto forged = answerTo(dialog->opening(), {.flags = 0x8183});
  forged[0] ^= 1;
  const auto otherName = encodeDnsQuery(0, "other.example", DnsType::a).value();
  const auto otherQuestion = std::string(dialog->opening().substr(0, 2)) + otherName.substr(2);
  for (const auto& datagram :
       {forged, answerTo(otherQuestion, {}), std::string(dialog->opening()), ""s, "x"s}) {
    EXPECT_EQ(dialog->receive(datagram), std::nullopt);
  }
  EXPECT_EQ(dialog->receive(answerTo(dialog->opening(), {.records = {ipv4(1)}})),
            passed("192.0.2.1"));
}

TEST(DnsProtocol, TheAnswerMayBeMalformed) {
  EXPECT_EQ(judge(probeOf({}), {.records = {record(1, "abc")}}),
            badResponse("malformed DNS answer"));
}

// Whatever a server sends, an operator reads one short line.
TEST(DnsProtocol, ReasonsAreBoundedAndPrintable) {
  const auto text = record(16, "\xff"s + std::string(100, '\n') + std::string(155, '\xe4'));
  AnswerParts parts;
  parts.records.assign(100, text);
  const auto judgement = judge(probeOf({std::string(1000, 'x')}, DnsType::txt), parts);
  ASSERT_TRUE(judgement);
  EXPECT_LT(judgement->reason.size(), 400U);
  EXPECT_TRUE(judgement->reason.ends_with(" and 96 more")) << judgement->reason;
  EXPECT_TRUE(std::ranges::all_of(judgement->reason, [](char c) { return c >= ' ' && c < 0x7f; }));
}

TEST(DnsProtocol, OverAStreamAMessageHasItsLengthBefore) {
  const auto protocol = dnsProtocol(probeOf({"192.0.2.1"}, DnsType::a, true)).value();
  for (const std::size_t piece : {1, 2, 3, 7, 1000}) {
    const auto dialog = protocol->begin();
    const auto opening = dialog->opening();
    ASSERT_EQ(opening.substr(0, 2), be16(static_cast<unsigned>(opening.size() - 2)));
    const auto message = answerTo(opening.substr(2), {.records = {ipv4(1)}});
    const auto stream = be16(static_cast<unsigned>(message.size())) + message + "more";
    std::optional<Judgement> judgement;
    std::size_t at = 0;
    for (; at < stream.size() && !judgement; at += piece) {
      judgement = dialog->receive(std::string_view(stream).substr(at, piece));
      EXPECT_EQ(judgement.has_value(), at + piece >= message.size() + 2) << piece;
    }
    EXPECT_EQ(judgement, passed("192.0.2.1")) << piece;
  }
}

TEST(DnsProtocol, OverAStreamEverythingElseIsABadResponse) {
  const auto protocol = dnsProtocol(probeOf({}, DnsType::a, true)).value();
  const auto receive = [&](const std::string& bytes) { return protocol->begin()->receive(bytes); };
  EXPECT_EQ(receive("\0\0"s), badResponse("not an answer to the DNS query"));
  EXPECT_EQ(receive("HTTP/1.1 400 Bad Request\r\n\r\n"), std::nullopt);  // a length of 18516
  EXPECT_EQ(receive("HT"s + std::string(18516, 'x')),
            badResponse("not an answer to the DNS query"));
  const auto dialog = protocol->begin();
  const auto answer = answerTo(dialog->opening().substr(2), {.flags = 0x8380});
  EXPECT_EQ(dialog->receive(be16(static_cast<unsigned>(answer.size())) + answer),
            mismatch("no A record"));  // truncated: tcp would not help
}

TEST(DnsProtocol, AStreamMayEndTooEarly) {
  const auto protocol = dnsProtocol(probeOf({}, DnsType::a, true)).value();
  const auto dialog = protocol->begin();
  EXPECT_EQ(dialog->end(), failed(FailureKind::closed, "closed without an answer"));
  dialog->receive("\1\0abc"s);
  EXPECT_EQ(dialog->received(), 5U);
  EXPECT_EQ(dialog->end(),
            failed(FailureKind::closed, "closed after 5 bytes of an incomplete answer"));
}

TEST(DnsProtocol, RefusesWhatCannotBeAskedOrAnswered) {
  EXPECT_FALSE(dnsProtocol({"a..b", DnsType::a, {}, false}));
  EXPECT_FALSE(dnsProtocol(probeOf({"mx1.example"})));
  EXPECT_FALSE(dnsProtocol(probeOf({"2001:db8::1"})));
  EXPECT_FALSE(dnsProtocol(probeOf({"192.0.2.1"}, DnsType::aaaa)));
}

}  // namespace
}  // namespace l4ward::healthcheck
