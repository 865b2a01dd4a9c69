#include "bgp/messages.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/bgp/relay_world.h"

namespace l4ward::bgp::testing {
namespace {

std::string lineOf(const auto& message) {
  return RelayWorld::trimmed(encode(message));
}

TEST(MessagesTest, AgentMessagesComeBack) {
  RouteSet set = routes(500);
  set[key("2001:db8::1", "2001:db8:1::1/128")] = {ip("2001:db8::11"), std::nullopt, {}};
  const AgentMessage message = Routes{7, Millis(12345), set};
  EXPECT_EQ(decodeAgentMessage(lineOf(message)).value(), message);
  EXPECT_LT(encode(message).size(), 20000U) << "prefixes share their attributes";
  EXPECT_EQ(decodeAgentMessage(lineOf(AgentMessage(Alive{}))).value(), AgentMessage(Alive{}));
}

TEST(MessagesTest, RelayMessagesComeBack) {
  const std::vector<RelayMessage> all = {
      Hello{"123:456", routes(3), true}, Synced{std::uint64_t{1} << 63},
      SessionEvent{ip("192.0.2.1"), "down", "a \"quoted\" reason\n"}, RelayError{"no"}};
  for (const RelayMessage& message : all) {
    EXPECT_EQ(decodeRelayMessage(lineOf(message)).value(), message);
  }
}

TEST(MessagesTest, BytesOutsideUtf8DoNotThrow) {
  const std::string line = lineOf(RelayMessage(RelayError{"\xff\xfe bad"}));
  EXPECT_TRUE(decodeRelayMessage(line));
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(MessagesTest, HoldIsKeptInBounds) {
  const auto hold = [](Millis asked) {
    return std::get<Routes>(decodeAgentMessage(lineOf(AgentMessage(Routes{1, asked, {}}))).value())
        .hold;
  };
  EXPECT_EQ(hold(Millis(0)), kMinHold);
  EXPECT_EQ(hold(kMaxHold * 3), kMaxHold);
}

TEST(MessagesTest, RefusesWhatItDoesNotUnderstand) {
  for (const char* line :
       {"", "null", "[]", "{}", "{\"type\":1}", "{\"type\":\"what\"}", "{\"type\":\"routes\"}",
        R"({"type":"routes","version":2,"generation":1,"hold_ms":1,"routes":[]})",
        R"({"type":"routes","version":1,"generation":-1,"hold_ms":1,"routes":[]})",
        R"({"type":"routes","version":1,"generation":1,"hold_ms":1,"routes":{}})",
        R"({"type":"routes","version":1,"generation":1,"hold_ms":1,"routes":[1]})"}) {
    EXPECT_FALSE(decodeAgentMessage(line)) << line;
    EXPECT_FALSE(decodeRelayMessage(line)) << line;
  }
}

TEST(MessagesTest, RefusesRoutesThatCouldNotBeSaid) {
  const auto group = [](const std::string& body) {
    return decodeAgentMessage(
        R"({"type":"routes","version":1,"generation":1,"hold_ms":1000,"routes":[{)" + body + "}]}");
  };
  const std::string good = R"("neighbor":"192.0.2.1","next_hop":"192.0.2.11")";
  EXPECT_TRUE(group(good + R"(,"prefixes":["198.51.100.1/32"])"));
  EXPECT_FALSE(group(good + R"(,"prefixes":["2001:db8::1/128"])")) << "other family";
  EXPECT_FALSE(group(good + R"(,"prefixes":["198.51.100.1"])"));
  EXPECT_FALSE(group(good + R"(,"prefixes":[],"communities":["1:2]\n"])"));
  EXPECT_FALSE(group(good + R"(,"prefixes":[],"med":4294967296)"));
  EXPECT_FALSE(group(good));
}

TEST(MessagesTest, TakesAnyBytes) {
  std::mt19937 random(3);
  const std::string seed = lineOf(AgentMessage(Routes{7, Millis(12345), routes(3)}));
  for (int i = 0; i < 20000; ++i) {
    std::string line = seed.substr(0, random() % (seed.size() + 1));
    for (unsigned j = random() % 4; j > 0 && !line.empty(); --j) {
      line[random() % line.size()] = static_cast<char>(random());
    }
    (void)decodeAgentMessage(line);
    (void)decodeRelayMessage(line);
  }
  EXPECT_FALSE(decodeAgentMessage(std::string(kMaxMessage, '[')));
}

}  // namespace
}  // namespace l4ward::bgp::testing
