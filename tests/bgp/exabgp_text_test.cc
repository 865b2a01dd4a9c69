#include "bgp/exabgp_text.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/bgp/fake_exabgp.h"

namespace l4ward::bgp::testing {
namespace {

TEST(ExabgpTextTest, AnnouncesWithAllAttributes) {
  const Attributes attributes{ip("192.0.2.11"), 100, {"65001:80", "no-export", "65001:1:2"}};
  EXPECT_EQ(announceLine(key("192.0.2.1", "198.51.100.1/32"), attributes),
            "neighbor 192.0.2.1 announce route 198.51.100.1/32 next-hop 192.0.2.11 med 100 "
            "community [65001:80 no-export] large-community [65001:1:2]");
}

TEST(ExabgpTextTest, LeavesOutWhatIsNotSet) {
  const Attributes attributes{ip("2001:db8::11"), std::nullopt, {}};
  EXPECT_EQ(withdrawLine(key("2001:db8::1", "2001:db8:1::1/128"), attributes),
            "neighbor 2001:db8::1 withdraw route 2001:db8:1::1/128 next-hop 2001:db8::11");
}

TEST(ExabgpTextTest, EndOfRibIsOfTheNeighborsFamily) {
  EXPECT_EQ(endOfRibLine(ip("192.0.2.1")), "neighbor 192.0.2.1 announce eor ipv4 unicast");
  EXPECT_EQ(endOfRibLine(ip("2001:db8::1")), "neighbor 2001:db8::1 announce eor ipv6 unicast");
}

TEST(ExabgpTextTest, CommunitiesCannotEndAListOrLine) {
  EXPECT_TRUE(isCommunity("65001:80"));
  EXPECT_TRUE(isCommunity("no-export"));
  for (const char* bad : {"", "1:2]", "1 2", "1:2\n", "65001:80;", "\xff"}) {
    EXPECT_FALSE(isCommunity(bad)) << bad;
  }
}

TEST(ExabgpTextTest, LongestLineFits) {
  Attributes attributes{ip("2001:db8:1111:2222:3333:4444:5555:6666"), 4294967295U, {}};
  attributes.communities.assign(kMaxCommunities, std::string(40, '1'));
  EXPECT_LE(announceLine(key("2001:db8:1111:2222:3333:4444:5555:7777",
                             "2001:db8:1111:2222:3333:4444:5555:8888/128"),
                         attributes)
                .size(),
            kMaxCommandLine);
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
