#include <gtest/gtest.h>

#include "healthcheck/protocol.h"

namespace l4ward::healthcheck {
namespace {

std::optional<Judgement> judge(const UdpProbe& probe, std::string_view datagram) {
  const auto protocol = udpProtocol(probe).value();
  return protocol->begin()->receive(datagram);
}

TEST(UdpProtocol, SendsTheText) {
  const auto protocol = udpProtocol({"ping\n", std::nullopt}).value();
  EXPECT_EQ(protocol->begin()->opening(), "ping\n");
  EXPECT_FALSE(protocol->begin()->connectionIsEnough());
}

TEST(UdpProtocol, AnyDatagramWillDoWithoutExpectation) {
  EXPECT_EQ(judge({"ping", std::nullopt}, "pong"), passed("answered with 4 bytes"));
  EXPECT_EQ(judge({"ping", std::nullopt}, ""), passed("answered with 0 bytes"));
}

TEST(UdpProtocol, TheExpectedTextMustBeInTheFirstDatagram) {
  const UdpProbe probe{"ping", Expectation{"ready", false}};
  EXPECT_EQ(judge(probe, "all ready\n"), passed("'ready' in the answer"));
  EXPECT_EQ(judge(probe, "starting"), failed(FailureKind::mismatch, "no 'ready' in the answer"));
  EXPECT_EQ(judge(probe, "")->kind, FailureKind::mismatch);
}

TEST(UdpProtocol, TheExpectationMayBeAPattern) {
  const UdpProbe probe{"ping", Expectation{"rea.y", true}};
  EXPECT_EQ(judge(probe, "ready")->answer, Answer::pass);
  EXPECT_EQ(judge(probe, "rea.")->kind, FailureKind::mismatch);
  EXPECT_FALSE(udpProtocol({"ping", Expectation{"(", true}}));
}

TEST(UdpProtocol, CountsWhatItReceived) {
  const auto protocol = udpProtocol({"ping", std::nullopt}).value();
  const auto dialog = protocol->begin();
  EXPECT_EQ(dialog->received(), 0U);
  dialog->receive("pong");
  EXPECT_EQ(dialog->received(), 4U);
}

}  // namespace
}  // namespace l4ward::healthcheck
