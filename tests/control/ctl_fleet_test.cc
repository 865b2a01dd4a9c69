#include "control/ctl/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/control/ctl_samples.h"

namespace l4ward::ctl {
namespace {

using namespace testing;  // NOLINT: the samples
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<NodeAnswer> threeNodes() {
  std::vector<NodeAnswer> answers;
  for (const char* name : {"lb4-1", "lb4-2", "lb4-3"}) {
    auto node = wellNode();
    node.node.name = name;
    answers.push_back({std::string("http://") + name, node, ""});
  }
  return answers;
}

// "of: value@nodes value@nodes"
std::vector<std::string> differencesOf(const std::vector<NodeAnswer>& answers) {
  std::vector<std::string> texts;
  for (const auto& difference : compare(answers).differences) {
    std::string text = difference.of + ":";
    for (const auto& said : difference.said) text += " " + said.value + "@" + join(said.nodes, ",");
    texts.push_back(text);
  }
  return texts;
}

TEST(Fleet, NodesThatAgree) {
  auto answers = threeNodes();
  // What differs between nodes by nature.
  answers[1].status->node.pid = 1;
  answers[1].status->node.startedAt -= 1000;
  answers[1].status->services[0].connections = 9;
  answers[1].status->servers[0].since -= 5;
  EXPECT_TRUE(compare(answers).agree());
  EXPECT_THAT(fleetScreen(answers, {}), HasSubstr("all nodes agree"));
}

TEST(Fleet, TheOddOneStandsLast) {
  auto answers = threeNodes();
  answers[0].status->node.version = "0.2.0";
  answers[1].status->node.siteHash = "77aa";
  answers[2].status->servers[1].state = "down";
  answers[2].status->vips[0].state = "withdrawn";
  answers[2].status->services[2].digest = "ffff";
  Override drain;
  drain.subject = {Subject::Kind::server, "lb7-3", "edge"};
  answers[0].status->overrides = {drain};
  EXPECT_THAT(
      differencesOf(answers),
      ElementsAre("version: 0.1.0@lb4-2,lb4-3 0.2.0@lb4-1",
                  "site file: 3fa1c09d2b7e6a55@lb4-1,lb4-3 77aa@lb4-2",
                  "service tcp [2001:db8::c633:6401]:80: 5c1f0a7be2d94c31@lb4-1,lb4-2 ffff@lb4-3",
                  "server edge/lb7-2: up@lb4-1,lb4-2 down@lb4-3",
                  "VIP 198.51.100.1/32: announced@lb4-1,lb4-2 withdrawn@lb4-3",
                  "override of server edge/lb7-3: not there@lb4-2,lb4-3 drain@lb4-1"));
  EXPECT_FALSE(compare(answers).agree());
  EXPECT_THAT(fleetScreen(answers, {100, false}), HasSubstr("6 differences"));
}

TEST(Fleet, WhatOneNodeLacksIsADifference) {
  auto answers = threeNodes();
  answers[1].status->services.pop_back();
  EXPECT_THAT(differencesOf(answers), ElementsAre("service tcp [2001:db8::c633:6401]:443: "
                                                  "5c1f0a7be2d94c31@lb4-1,lb4-3 not there@lb4-2"));
}

TEST(Fleet, NodesOfOneNameAreToldApartByTheirUrl) {
  auto answers = threeNodes();
  answers[1].status->node.name = "lb4-1";
  answers[1].status->node.version = "9";
  EXPECT_THAT(differencesOf(answers),
              ElementsAre("version: 0.1.0@lb4-1 (http://lb4-1),lb4-3 9@lb4-1 (http://lb4-2)"));
}

TEST(Fleet, ANodeThatDoesNotAnswer) {
  auto answers = threeNodes();
  answers[1].status.reset();
  answers[1].error = "Connection refused";
  EXPECT_FALSE(compare(answers).agree());
  EXPECT_TRUE(compare(answers).differences.empty());
  const auto text = fleetScreen(answers, {});
  EXPECT_THAT(text, HasSubstr("1 node did not answer"));
  EXPECT_THAT(text, HasSubstr("Connection refused"));
  EXPECT_THAT(text, HasSubstr("those that answered agree"));
  const auto json = fleetJson(answers);
  EXPECT_EQ(json["agree"], false);
  EXPECT_EQ(json["nodes"][1]["error"], "Connection refused");
  EXPECT_EQ(json["nodes"][2]["servers_up"], 3);
}

TEST(NodeUrl, Forms) {
  struct Case {
    const char* text;
    const char* host;
    const char* port;
  };
  for (const auto& [text, host, port] : {
           Case{"http://lb4-1:8080", "lb4-1", "8080"},
           Case{"http://lb4-1/", "lb4-1", "9119"},
           Case{"lb4-1.example.org", "lb4-1.example.org", "9119"},
           Case{"192.0.2.11:80", "192.0.2.11", "80"},
           Case{"[2001:db8::1]:80", "2001:db8::1", "80"},
           Case{"http://[2001:db8::1]", "2001:db8::1", "9119"},
           Case{"2001:db8::1", "2001:db8::1", "9119"},
       }) {
    const auto url = NodeUrl::parse(text);
    ASSERT_TRUE(url) << text;
    EXPECT_EQ(url->host, host) << text;
    EXPECT_EQ(url->port, port) << text;
    EXPECT_EQ(url->text, text);
  }
  for (const char* text :
       {"", "http://", "https://lb4-1", "ftp://x", "lb4-1:", "lb4-1:0", "lb4-1:65536", "lb4-1:http",
        "http://lb4-1/path", "a b", "[lb4-1]:80", "[2001:db8::1", "x\r\nHost: y", "user@host"}) {
    EXPECT_FALSE(NodeUrl::parse(text)) << text;
  }
}

}  // namespace
}  // namespace l4ward::ctl
