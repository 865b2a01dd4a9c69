#include "control/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace l4ward::control {
namespace {

using ::testing::HasSubstr;

template <typename T>
T parsed(const std::string& line) {
  const auto request = parseRequest(line);
  EXPECT_TRUE(request) << line << ": " << request.error().message;
  return request ? std::get<T>(*request) : T{};
}

TEST(Request, Plain) {
  parsed<StatusRequest>(R"({"version":1,"command":"status"})");
  parsed<StatusRequest>(" {\"command\" : \"status\"}\r");
  parsed<ReloadRequest>(R"({"command":"reload"})");
  parsed<ResyncRequest>(R"({"command":"resync"})");
  parsed<ConfigRequest>(R"({"command":"config"})");
  parsed<VersionRequest>(R"({"command":"version"})");
}

TEST(Request, Fields) {
  const auto events = parsed<EventsRequest>(R"({"command":"events","after":7,"follow":true})");
  EXPECT_EQ(events.after, 7U);
  EXPECT_TRUE(events.follow);
  EXPECT_FALSE(parsed<EventsRequest>(R"({"command":"events"})").follow);

  const auto set = parsed<SetRequest>(
      R"({"command":"disable","subject":"server edge/lb7-1","for":90.5,"reason":"Umbau: Küche","force":true})");
  EXPECT_EQ(set.subject, (Subject{Subject::Kind::server, "lb7-1", "edge"}));
  EXPECT_EQ(set.action, Action::disable);
  EXPECT_EQ(set.seconds, 90.5);
  EXPECT_EQ(set.reason, "Umbau: Küche");
  EXPECT_TRUE(set.force);
  const auto drain =
      parsed<SetRequest>(R"({"command":"drain","subject":"node","for":null,"reason":null})");
  EXPECT_EQ(drain.action, Action::drain);
  EXPECT_EQ(drain.seconds, std::nullopt);

  EXPECT_EQ(parsed<ClearRequest>(R"({"command":"enable","subject":"vip 2001:db8:0::1"})").subject,
            (Subject{Subject::Kind::vip, "2001:db8::1", ""}));

  const auto lookup = parsed<LookupRequest>(
      R"({"command":"lookup","client":"[2001:db8::9]:40000","vip":"[2001:db8::1]:80"})");
  EXPECT_EQ(lookup.client.str(), "[2001:db8::9]:40000");
  EXPECT_EQ(lookup.vip.port, 80);
  EXPECT_EQ(lookup.protocol, "tcp");

  const auto plan = parsed<PlanRequest>(R"({"command":"plan","file":"x.yaml","text":"a: 1\n"})");
  EXPECT_EQ(plan.text, "a: 1\n");
}

struct Wrong {
  const char* line;
  const char* message;
};

TEST(Request, MistakesAreNamed) {
  const std::string control = "{\"command\":\"drain\",\"subject\":\"node\",\"reason\":";
  for (const auto& [line, message] : std::vector<Wrong>{
           {"", "not JSON"},
           {"status", "found 'status'"},
           {"[1]", "found a list, expected an object"},
           {"{}", "'command' is missing"},
           {R"({"command":1})", "found 1, expected a text"},
           {R"({"command":"stauts"})", "did you mean 'status'?"},
           {R"({"command":"status","version":2})", "'version': found 2, expected 1"},
           {R"({"command":"status","version":null})", "'version': found null"},
           {R"({"command":"drain","subject":"node","reasn":"x"})", "did you mean 'reason'?"},
           {R"({"command":"status","force":true})", "unknown field 'force'"},
           {R"({"command":"events","after":-1})", "found -1, expected a whole number"},
           {R"({"command":"events","after":1.5})", "found 1.5, expected a whole number"},
           {R"({"command":"events","follow":"yes"})",
            "found the text 'yes', expected true or false"},
           {R"({"command":"drain"})", "'subject' is missing"},
           {R"({"command":"drain","subject":["node"]})", "found a list, expected a text"},
           {R"({"command":"drain","subject":"pool edge"})", "pool edge"},
           {R"({"command":"drain","subject":"node","for":"30m"})",
            "found the text '30m', expected sec"},
           {R"({"command":"drain","subject":"node","for":0.5})", "found 0.5, expected seconds"},
           {R"({"command":"drain","subject":"node","for":31536001})", "31536000 (365 days)"},
           {R"({"command":"drain","subject":"node","for":1e300})", "expected seconds"},
           {R"({"command":"drain","subject":"node","force":1})", "found 1, expected true or false"},
           {R"({"command":"drain","subject":"node","reason":"a\nb"})", "control character"},
           {R"({"command":"drain","subject":"node","reason":"\u001b[2J"})", "control character"},
           {R"({"command":"drain","subject":"node","reason":"\u009b2J"})", "control character"},
           {R"({"command":"drain","subject":"node","reason":"\u007f"})", "control character"},
           {R"({"command":"plan","file":"x"})", "'text' is missing"},
           {R"({"command":"plan","text":{}})", "found an object, expected a text"},
           {R"({"command":"lookup","client":"192.0.2.1:1"})", "'vip' is missing"},
           {R"({"command":"lookup","client":"192.0.2.1","vip":"192.0.2.2:1"})", "'client'"},
           {R"({"command":"lookup","client":"192.0.2.1:1","vip":"[::1]:1"})", "different families"},
           {R"({"command":"lookup","client":"192.0.2.1:1","vip":"192.0.2.2:1","protocol":"icmp"})",
            "expected tcp, udp or sctp"},
       }) {
    const auto request = parseRequest(line);
    ASSERT_FALSE(request) << line;
    EXPECT_EQ(request.error().code, "bad-request") << line;
    EXPECT_THAT(request.error().message, HasSubstr(message)) << line;
  }
  EXPECT_FALSE(parseRequest(control + "\"" + std::string(kMaxReason + 1, 'x') + "\"}"));
  EXPECT_TRUE(parseRequest(control + "\"" + std::string(kMaxReason, 'x') + "\"}"));
}

TEST(Request, UnknownCommandListsThose) {
  EXPECT_THAT(parseRequest(R"({"command":"x"})").error().next, HasSubstr("drain, disable, enable"));
}

TEST(Request, SizeAndDepthAreBounded) {
  const auto withText = [](const std::string& command, std::size_t size) {
    return "{\"command\":\"" + command + "\",\"text\":\"" + std::string(size, 'x') + "\"}";
  };
  EXPECT_EQ(parseRequest(withText("status", kMaxRequest)).error().code, "too-long");
  EXPECT_EQ(parsed<PlanRequest>(withText("plan", 4 << 20)).text.size(), std::size_t{4} << 20);
  EXPECT_EQ(parseRequest(withText("plan", kMaxPlanRequest)).error().code, "too-long");
  EXPECT_EQ(requestLimit("  { \"version\": 1, \"command\" : \"plan\""), kMaxPlanRequest);
  EXPECT_EQ(requestLimit(std::string(100, ' ') + "{\"command\":\"plan\""), kMaxRequest);

  EXPECT_FALSE(parseRequest(std::string(kMaxRequest, '[')));
  // What opens within a text is no depth.
  parsed<PlanRequest>(R"({"command":"plan","text":"\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["})");
}

TEST(Request, RoundTrip) {
  for (const Request& request : std::vector<Request>{
           StatusRequest{}, EventsRequest{12, true}, ReloadRequest{}, ResyncRequest{},
           PlanRequest{"site.yaml", "node: a\n\"\\"},
           LookupRequest{*Endpoint::parse("192.0.2.1:9"), *Endpoint::parse("192.0.2.2:80"), "udp"},
           SetRequest{{Subject::Kind::server, "a", "b"}, Action::disable, 1800, "why", true},
           SetRequest{{Subject::Kind::vip, "198.51.100.1", ""}, Action::drain, {}, "", false},
           ClearRequest{{Subject::Kind::service, "web", ""}}, ConfigRequest{}, VersionRequest{}}) {
    const auto line = encode(request);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const auto again = parseRequest(line);
    ASSERT_TRUE(again) << line << ": " << again.error().message;
    EXPECT_EQ(again->index(), request.index());
    EXPECT_EQ(encode(*again), line);
  }
  EXPECT_EQ(requestLimit(encode(PlanRequest{"f", "text"})), kMaxPlanRequest);
}

TEST(Reply, RoundTrip) {
  const Reply result = nlohmann::json{{"a", "line\nbreak"}};
  EXPECT_EQ(encode(result).find('\n'), std::string::npos);
  EXPECT_EQ(parseReply(encode(result)), result);
  const auto refusal = parseReply(encode(Reply(tl::unexpected(Refusal{"busy", "many", "wait"}))));
  ASSERT_FALSE(refusal);
  EXPECT_EQ(refusal.error(), (Refusal{"busy", "many", "wait"}));
  EXPECT_EQ(parseReply(encodeResult("[1]")), Reply(nlohmann::json::array({1})));
  // A name in the site file need not be UTF-8.
  EXPECT_TRUE(parseReply(encode(Reply(nlohmann::json("\xff")))));
}

TEST(Reply, AnythingElseIsABadReply) {
  for (const std::string line :
       {"", "{", "[]", "{}", R"({"version":1})", R"({"version":2,"ok":true,"result":1})",
        R"({"version":1,"ok":1,"result":1})", R"({"version":1,"ok":true})",
        R"({"version":1,"ok":false})", R"({"version":1,"ok":false,"error":{}})"}) {
    const auto reply = parseReply(line);
    ASSERT_FALSE(reply) << line;
    EXPECT_EQ(reply.error().code, "bad-reply") << line;
  }
  EXPECT_FALSE(parseReply(R"({"version":1,"ok":true,"result":)" + std::string(1 << 20, '[')));
}

}  // namespace
}  // namespace l4ward::control
