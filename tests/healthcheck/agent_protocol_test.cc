#include <gtest/gtest.h>

#include "healthcheck/protocol.h"
#include "tests/healthcheck/dialogs.h"

namespace l4ward::healthcheck {
namespace {

std::unique_ptr<Protocol> agent(std::string send = {}) {
  return std::move(agentProtocol({std::move(send)}).value());
}

Judgement pass(std::string reason, std::optional<unsigned> weight = {}) {
  return {Answer::pass, FailureKind::none, std::move(reason), {}, weight};
}
Judgement drain(std::string reason, std::optional<unsigned> weight = {}) {
  return {Answer::drain, FailureKind::none, std::move(reason), {}, weight};
}
Judgement down(std::string reason, std::optional<unsigned> weight = {}) {
  return {Answer::fail, FailureKind::reported, std::move(reason), {}, weight};
}
Judgement silent(std::string reason) {
  return {Answer::silent, FailureKind::none, std::move(reason), {}, {}};
}

struct Case {
  std::string line;
  Judgement expected;
};

// Ended by a line feed, a carriage return or the close, and in whatever pieces.
void expectAll(const std::vector<Case>& cases) {
  const auto protocol = agent();
  for (const auto& [line, expected] : cases) {
    for (const std::string end : {"\n", "\r\n", "\rdown\n", "\n\nmaint", ""}) {
      expectEveryWay(*protocol, line + end, expected);
    }
  }
}

TEST(AgentProtocol, OneWord) {
  expectAll({{"up", pass("reported up")},
             {"ready", pass("reported ready")},
             {"down", down("reported down")},
             {"fail", down("reported fail")},
             {"failed", down("reported failed")},
             {"stopped", down("reported stopped")},
             {"maint", down("in maintenance")},
             {"drain", drain("reported drain")}});
}

TEST(AgentProtocol, AWeightIsAPercentage) {
  expectAll({{"75%", pass("weight 75%", 75)},
             {"1%", pass("weight 1%", 1)},
             {"100%", pass("weight 100%", 100)},
             {"256%", pass("weight 256%", 256)},
             {"257%", pass("weight 256%", 256)},
             {"99999999999999999999%", pass("weight 256%", 256)},
             {"007%", pass("weight 7%", 7)},
             {"0%", drain("weight 0%")}});
}

TEST(AgentProtocol, StatesAndWeightAreIndependent) {
  expectAll({{"up 50%", pass("reported up", 50)},
             {"50% up", pass("reported up", 50)},
             {"ready 75% maxconn:10", pass("reported ready", 75)},
             {"ready up", pass("reported up")},
             {"ready down", down("reported down")},
             {"drain up", drain("reported drain")},
             {"drain 50%", drain("reported drain", 50)},
             {"drain down", down("reported down")},
             {"maint up 50%", down("in maintenance", 50)},
             {"maint down", down("in maintenance")},
             {"up 0%", drain("weight 0%")},
             {"75%,maxconn:30,maint,down", down("in maintenance", 75)}});
}

TEST(AgentProtocol, TheLastWordOfAKindCounts) {
  expectAll({{"up down", down("reported down")},
             {"down up", pass("reported up")},
             {"maint ready", pass("reported ready")},
             {"10% 20%", pass("weight 20%", 20)},
             {"0% 20%", pass("weight 20%", 20)}});
}

TEST(AgentProtocol, WordsAreDividedByBlanksTabsAndCommasInAnyCase) {
  expectAll({{"  up\t50%", pass("reported up", 50)},
             {",,UP,,50%,", pass("reported up", 50)},
             {"Drain ", drain("reported drain")}});
}

TEST(AgentProtocol, ADescriptionFollowsASharp) {
  expectAll({{"down #disk full", down("reported down: disk full")},
             {"down#disk full, up", down("reported down: disk full, up")},
             {"stopped 50% # by hand ", down("reported stopped: by hand", 50)},
             {"failed #", down("reported failed")},
             {"down #\x1b[2Jx\xff", down("reported down: [2Jx?")},
             {"up #all is well", pass("reported up")},
             {"down #" + std::string(900, 'x'), down("reported down: " + std::string(80, 'x'))}});
}

TEST(AgentProtocol, NothingKnownIsSilence) {
  expectAll({{"", silent("said nothing")},
             {" \t,", silent("said nothing that is known: ','")},
             {"maxconn:30", silent("said nothing that is known: 'maxconn:30'")},
             {"hello", silent("said nothing that is known: 'hello'")},
             {"#down", silent("said nothing that is known: '#down'")},
             {"75", silent("said nothing that is known: '75'")},
             {"%", silent("said nothing that is known: '%'")},
             {"-5%", silent("said nothing that is known: '-5%'")},
             {"7x%", silent("said nothing that is known: '7x%'")},
             {"75%%", silent("said nothing that is known: '75%%'")},
             {"upp", silent("said nothing that is known: 'upp'")},
             {"u", silent("said nothing that is known: 'u'")}});
}

TEST(AgentProtocol, AnIncompleteLineIsNoVerdict) {
  const auto protocol = agent();
  const auto dialog = protocol->begin();
  EXPECT_EQ(dialog->receive("down"), std::nullopt);
  EXPECT_EQ(dialog->received(), 4U);
}

TEST(AgentProtocol, AnEndlessLineIsSilence) {
  const auto tooLong = silent("said more than 1024 bytes in a line");
  const auto protocol = agent();
  expectEveryWay(*protocol, "down" + std::string(1020, ' ') + "\n", down("reported down"));
  expectEveryWay(*protocol, "down" + std::string(1021, ' ') + "\n", tooLong);
  const auto dialog = protocol->begin();
  EXPECT_EQ(feed(*dialog, std::string(1025, ' '), 1), tooLong);
}

TEST(AgentProtocol, SpeaksFirstIfThereIsSomethingToSay) {
  const auto quiet = agent();
  const auto speaking = agent("web\n");
  EXPECT_EQ(quiet->begin()->opening(), "");
  const auto dialog = speaking->begin();
  EXPECT_EQ(dialog->opening(), "web\n");
  EXPECT_FALSE(dialog->connectionIsEnough());
}

}  // namespace
}  // namespace l4ward::healthcheck
