#include <gtest/gtest.h>

#include "healthcheck/protocol.h"
#include "tests/healthcheck/dialogs.h"

namespace l4ward::healthcheck {
namespace {

std::unique_ptr<Protocol> tcp(const TcpProbe& probe) {
  return std::move(tcpProtocol(probe).value());
}

std::unique_ptr<Protocol> expecting(std::string text, bool isPattern = false) {
  return tcp({.expect = Expectation{std::move(text), isPattern}});
}

TEST(TcpProtocol, WithoutATextAConnectionIsEnough) {
  const auto protocol = tcp({});
  const auto dialog = protocol->begin();
  EXPECT_TRUE(dialog->connectionIsEnough());
  EXPECT_EQ(dialog->opening(), "");
  EXPECT_EQ(dialog->end(), passed("connected"));
}

TEST(TcpProtocol, WhatIsOnlySentIsEnough) {
  const auto protocol = tcp({.send = "QUIT\r\n"});
  const auto dialog = protocol->begin();
  EXPECT_TRUE(dialog->connectionIsEnough());
  EXPECT_EQ(dialog->opening(), "QUIT\r\n");
  EXPECT_EQ(dialog->end(), passed("connected, sent"));
}

TEST(TcpProtocol, SendsAndWaitsForTheAnswer) {
  const auto protocol = tcp({.send = "PING\r\n", .expect = Expectation{"+PONG", false}});
  const auto dialog = protocol->begin();
  EXPECT_FALSE(dialog->connectionIsEnough());
  EXPECT_EQ(dialog->opening(), "PING\r\n");
  EXPECT_EQ(dialog->receive("+PO"), std::nullopt);
  EXPECT_EQ(dialog->received(), 3U);
  EXPECT_EQ(dialog->receive("NG\r\n"), passed("'+PONG' in the answer"));
}

TEST(TcpProtocol, TheTextMayStandAnywhere) {
  const auto protocol = expecting("ready");
  expectEveryWay(*protocol, "ready", passed("'ready' in the answer"));
  expectEveryWay(*protocol, "rereaready!", passed("'ready' in the answer"));
  expectEveryWay(*protocol, std::string(9999, 'r') + "eady", passed("'ready' in the answer"));
}

TEST(TcpProtocol, APatternMatchesAsSoonAsItCan) {
  const auto protocol = expecting("^220 .*ESMTP", true);
  expectEveryWay(*protocol, "220 mx.example.org ESMTP\r\n", passed("/^220 .*ESMTP/ in the answer"));
  const auto dialog = protocol->begin();
  EXPECT_EQ(dialog->receive("220 mx.example.org ES"), std::nullopt);
  EXPECT_TRUE(dialog->receive("MTP"));
}

TEST(TcpProtocol, AnotherAnswerIsShown) {
  const auto protocol = expecting("ready");
  expectEveryWay(*protocol, "SSH-2.0-OpenSSH_9.2\r\n",
                 failed(FailureKind::mismatch, "no 'ready' in the answer: 'SSH-2.0-OpenSSH_9.2'"));
  expectEveryWay(*protocol, "a\x1b[2J" + std::string(50, 'x'),
                 failed(FailureKind::mismatch,
                        "no 'ready' in the answer: 'a [2J" + std::string(35, 'x') + "'"));
}

TEST(TcpProtocol, NoAnswerIsNoMismatch) {
  EXPECT_EQ(converse(*expecting("ready"), ""),
            failed(FailureKind::closed, "closed without an answer"));
  EXPECT_EQ(converse(*expecting("^$", true), "").answer, Answer::pass);
}

TEST(TcpProtocol, AnEndlessAnswerIsCut) {
  const std::string before(maxMatchedBytes - 5, 'x');
  for (const bool isPattern : {false, true}) {
    const auto protocol = expecting("ready", isPattern);
    for (const std::size_t piece : {1, 999, 1 << 20}) {
      const auto fits = protocol->begin();
      EXPECT_EQ(feed(*fits, before + "ready", piece)->answer, Answer::pass);
      const auto tooLate = protocol->begin();
      EXPECT_EQ(feed(*tooLate, before + "xready", piece)->kind, FailureKind::mismatch);
    }
  }
}

TEST(TcpProtocol, APatternThatIsNoneIsAnError) {
  EXPECT_FALSE(tcpProtocol({.expect = Expectation{"(", true}}));
}

}  // namespace
}  // namespace l4ward::healthcheck
