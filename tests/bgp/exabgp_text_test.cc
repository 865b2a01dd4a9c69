#include "bgp/exabgp_text.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/bgp/fake_exabgp.h"

namespace l4ward::bgp::testing {
namespace {

TEST(ExabgpTextTest, SaysAllAttributes) {
  Attributes all;
  all.nextHop = ip("192.0.2.11");
  all.med = 100;
  all.localPreference = 0;
  all.asPath = {65001, 4200000000, 65001};
  all.communities = {"65001:80", "65535:0"};
  all.largeCommunities = {"65001:1:2", "4294967295:0:3"};
  all.extendedCommunities = {"target:65001:80", "origin:4200000000:9", "target:192.0.2.1:80"};
  const std::string attributes =
      " next-hop 192.0.2.11 med 100 local-preference 0 as-path [65001 4200000000 65001] "
      "community [65001:80 65535:0] large-community [65001:1:2 4294967295:0:3] "
      "extended-community [0x0002fde900000050 0x0203fa56ea000009 0x0102c00002010050]";
  EXPECT_EQ(routeLine(true, key("192.0.2.1", "198.51.100.1/32"), all),
            "neighbor 192.0.2.1 announce route 198.51.100.1/32" + attributes);
  EXPECT_EQ(routeLine(false, key("192.0.2.1", "198.51.100.1/32"), all),
            "neighbor 192.0.2.1 withdraw route 198.51.100.1/32" + attributes);
  EXPECT_EQ(routesLineHead(false, ip("192.0.2.1"), all),
            "neighbor 192.0.2.1 withdraw attributes" + attributes + " nlri");
}

TEST(ExabgpTextTest, LeavesOutWhatIsNotSet) {
  const Attributes attributes = plain(ip("2001:db8::11"));
  EXPECT_EQ(routeLine(false, key("2001:db8::1", "2001:db8:1::1/128"), attributes),
            "neighbor 2001:db8::1 withdraw route 2001:db8:1::1/128 next-hop 2001:db8::11");
}

TEST(ExabgpTextTest, EndOfRibIsOfTheNeighborsFamily) {
  EXPECT_EQ(endOfRibLine(ip("192.0.2.1")), "neighbor 192.0.2.1 announce eor ipv4 unicast");
  EXPECT_EQ(endOfRibLine(ip("2001:db8::1")), "neighbor 2001:db8::1 announce eor ipv6 unicast");
}

struct CommunityCase {
  bool (*isOne)(std::string_view);
  std::vector<const char*> good, bad;
};

TEST(ExabgpTextTest, CommunitiesAreNumbersThatFit) {
  const std::vector<CommunityCase> cases = {
      {isCommunity,
       {"65001:80", "0:0", "65535:65535"},
       {"", ":", "1", "1:", ":1", "65536:1", "1:65536", "1:2:3", "no-export", "1:2]", "1 2",
        "1:2\n", "-1:2", "+1:2", "0x1:2", "1:2 ", " 1:2", "\xff", "1:99999999999999999999"}},
      {isLargeCommunity,
       {"65001:1:2", "4294967295:4294967295:4294967295"},
       {"1:2", "1:2:3:4", "4294967296:1:1", "1:4294967296:1", "1:1:4294967296", "1:2:3]", "1:2:x"}},
      {isExtendedCommunity,
       {"target:65001:80", "origin:65535:4294967295", "target:65536:65535", "origin:4294967295:0",
        "target:192.0.2.1:80"},
       {"65001:80", "target:", "target:1", "target:65536:65536", "target:4294967296:1",
        "target:1:4294967296", "redirect:1:2", "target:1:2]", "target:192.0.2.1:65536",
        "target:192.0.2:1", "target:2001:db8::1:1", "TARGET:1:2"}}};
  for (const CommunityCase& one : cases) {
    for (const char* good : one.good) EXPECT_TRUE(one.isOne(good)) << good;
    for (const char* bad : one.bad) EXPECT_FALSE(one.isOne(bad)) << bad;
  }
}

TEST(ExabgpTextTest, LongestLineFits) {
  Attributes attributes = plain(ip("2001:db8:1111:2222:3333:4444:5555:6666"));
  attributes.med = attributes.localPreference = 4294967295U;
  attributes.asPath.assign(kMaxAsPath, 4294967295U);
  attributes.largeCommunities.assign(kMaxCommunities - 2, "4294967295:4294967295:4294967295");
  attributes.communities = {"65535:65535"};
  attributes.extendedCommunities = {"target:65535:1"};
  const auto neighbor = ip("2001:db8:1111:2222:3333:4444:5555:7777");
  const std::string head = routesLineHead(true, neighbor, attributes);
  EXPECT_LE(head.size() + 44, kMaxCommandLine);
}

TEST(ExabgpTextTest, ReadsAnswers) {
  EXPECT_EQ(parseReply("done").kind, Reply::Kind::done);
  EXPECT_EQ(parseReply("error").kind, Reply::Kind::error);
  EXPECT_EQ(parseReply("shutdown").kind, Reply::Kind::shutdown);
  EXPECT_EQ(parseReply(R"({"answer": "done", "message": "x"})").kind, Reply::Kind::done);
  EXPECT_EQ(parseReply(R"({"exabgp": "4.0.1", "notification": "shutdown"})").kind,
            Reply::Kind::shutdown);
}

TEST(ExabgpTextTest, ReadsSessionEvents) {
  const Reply reply = parseReply(
      R"({ "exabgp": "4.0.1", "time": 1.5, "host" : "a", "pid" : 5, "ppid" : 4, "counter": 3, )"
      R"("type": "state", "neighbor": { "address": { "local": "10.0.0.2", "peer": "10.0.0.1" }, )"
      R"("asn": { "local": 65001, "peer": 65000 } , "state": "down", "reason": "peer reset"} })");
  EXPECT_EQ(reply.kind, Reply::Kind::session);
  EXPECT_EQ(reply.neighbor, ip("10.0.0.1"));
  EXPECT_EQ(reply.state, "down");
  EXPECT_EQ(reply.reason, "peer reset");
}

TEST(ExabgpTextTest, ReadsTheSummary) {
  EXPECT_EQ(parseReply("Peer            AS        up/down state       |     #sent     #recvd").kind,
            Reply::Kind::summaryHeader);
  const Reply reply =
      parseReply("fd00::1         65000     0:00:12 established           1          0");
  EXPECT_EQ(reply.kind, Reply::Kind::summarySession);
  EXPECT_EQ(reply.neighbor, ip("fd00::1"));
  EXPECT_EQ(parseReply("10.0.0.1 65000 down idle 0 0").kind, Reply::Kind::text);
}

TEST(ExabgpTextTest, TakesAnyBytes) {
  std::mt19937 random(7);
  const std::string seed = FakeExabgp::event("192.0.2.1", "up");
  for (int i = 0; i < 20000; ++i) {
    std::string line = seed.substr(0, random() % seed.size());
    for (unsigned j = random() % 4; j > 0 && !line.empty(); --j) {
      line[random() % line.size()] = static_cast<char>(random());
    }
    parseReply(line);
  }
  EXPECT_EQ(parseReply(std::string(100000, '[')).kind, Reply::Kind::text);
  EXPECT_EQ(parseReply("{" + std::string(100000, '[')).kind, Reply::Kind::text);
}

}  // namespace
}  // namespace l4ward::bgp::testing
