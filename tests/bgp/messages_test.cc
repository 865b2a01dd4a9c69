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
  set[key("2001:db8::1", "2001:db8:1::1/128")] = plain(ip("2001:db8::11"));
  Attributes all = plain(ip("192.0.2.11"), 0);
  all.localPreference = 4294967295;
  all.asPath = {65001, 4200000000};
  all.communities = {"65535:0"};
  all.largeCommunities = {"1:2:3", "4294967295:0:0"};
  all.extendedCommunities = {"target:65001:80"};
  set[key("192.0.2.2", "198.51.100.0/24")] = all;
  const AgentMessage message = Routes{7, Millis(12345), set};
  EXPECT_EQ(decodeAgentMessage(lineOf(message)).value(), message);
  EXPECT_LT(encode(message).size(), 20000U) << "prefixes share their attributes";
  EXPECT_EQ(decodeAgentMessage(lineOf(AgentMessage(Alive{}))).value(), AgentMessage(Alive{}));
  EXPECT_EQ(decodeAgentMessage(lineOf(AgentMessage(End{}))).value(), AgentMessage(End{}));
}

TEST(MessagesTest, RelayMessagesComeBack) {
  const std::vector<RelayMessage> all = {
      Hello{"123:456", routes(3), true},
      Hello{"123:456", {}, false, "0.0.1"},
      Synced{std::uint64_t{1} << 63},
      SessionEvent{ip("192.0.2.1"), "down", "a \"quoted\" reason\n"},
      RelayError{"no"},
      Stuck{"silent"},
      Pong{}};
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
        R"({"type":"routes","version":1,"generation":1,"hold_ms":1,"routes":[]})",
        R"({"type":"routes","version":2,"generation":-1,"hold_ms":1,"routes":[]})",
        R"({"type":"routes","version":2,"generation":1,"hold_ms":1,"routes":{}})",
        R"({"type":"routes","version":2,"generation":1,"hold_ms":1,"routes":[1]})"}) {
    EXPECT_FALSE(decodeAgentMessage(line)) << line;
    EXPECT_FALSE(decodeRelayMessage(line)) << line;
  }
}

TEST(MessagesTest, RefusesRoutesThatCouldNotBeSaid) {
  const auto group = [](const std::string& body) {
    return decodeAgentMessage(
        R"({"type":"routes","version":2,"generation":1,"hold_ms":1000,"routes":[{)" + body + "}]}");
  };
  const std::string good = R"("neighbor":"192.0.2.1","next_hop":"192.0.2.11")";
  const std::string whole = good + R"(,"prefixes":["198.51.100.1/32"])";
  EXPECT_TRUE(group(whole));
  EXPECT_FALSE(group(good));
  EXPECT_FALSE(group(good + R"(,"prefixes":["2001:db8::1/128"])")) << "other family";
  EXPECT_FALSE(group(good + R"(,"prefixes":["198.51.100.1"])"));
  const auto many = [](const char* key, int count, const std::string& one) {
    std::string list = one;
    for (int i = 1; i < count; ++i) list += "," + one;
    return "," + std::string("\"") + key + "\":[" + list + "]";
  };
  EXPECT_TRUE(group(whole + many("as_path", 32, "4294967295")));
  EXPECT_TRUE(group(whole + many("communities", 64, R"("65001:80")")));
  for (const std::string& bad : std::vector<std::string>{
           R"(,"med":4294967296)", R"(,"med":-1)", R"(,"med":"1")", R"(,"local_preference":1.5)",
           R"(,"as_path":[0])", R"(,"as_path":[4294967296])", R"(,"as_path":["65001"])",
           R"(,"as_path":65001)", many("as_path", 33, "1"), R"(,"communities":["1:2]\n"])",
           R"(,"communities":["1:2:3"])", R"(,"communities":[3])", R"(,"communities":"1:2")",
           R"(,"large_communities":["1:2"])", R"(,"extended_communities":["1:2"])",
           R"(,"extended_communities":["target:1:2 x"])", many("communities", 65, R"("65001:80")"),
           many("communities", 40, R"("1:2")") + many("large_communities", 40, R"("1:2:3")")}) {
    EXPECT_FALSE(group(whole + bad)) << bad;
  }
}

TEST(MessagesTest, AnotherVersionIsToldFromGarbage) {
  const auto code = [](const char* line) { return decodeRelayMessage(line).error().code; };
  EXPECT_EQ(code(R"({"type":"hello","version":1,"standing":[]})"), EPROTO);
  EXPECT_EQ(code(R"({"type":"hello","version":"x","standing":[]})"), 0);
  EXPECT_EQ(code("garbage"), 0);
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
