#include "agent/shares.h"

#include <gmock/gmock.h>

#include "agent/status_builder.h"
#include "ipvs/digest.h"
#include "tests/agent/controller_fixture.h"

namespace l4ward::agent {
namespace {

constexpr std::size_t kSlots = 251;

class SharesTest : public ControllerTest {
 protected:
  control::Service webOf(Life& life, std::size_t slots = kSlots) {
    const auto snapshot = life.controller.snapshot(life.now);
    auto status = statusOf(snapshot, {});
    shares.add(status, snapshot, slots);
    EXPECT_EQ(status.node.tableSlots, slots);
    return status.services.at(0);
  }
  // Of servers 192.0.2.101 and so on, in the kernel's order.
  static ipvs::MaglevTable table(const std::vector<std::uint32_t>& weights) {
    std::vector<ipvs::MaglevServer> servers;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      servers.push_back({endpoint("192.0.2.10" + std::to_string(i + 1) + ":80"), weights[i], true});
    }
    return {Family::v4, servers, kSlots};
  }
  static double shareOf(const ipvs::MaglevTable& table, std::uint32_t server) {
    return static_cast<double>(std::ranges::count(table.slots(), server)) / kSlots;
  }

  Shares shares;
};

TEST_F(SharesTest, AreThoseOfTheTable) {
  auto yaml = site();
  yaml.replace(yaml.find("192.0.2.102 }"), 13, "192.0.2.102, weight: 2 }");
  const auto life = servingLife(yaml);
  const auto service = webOf(*life);
  const auto expected = table({1, 2, 1});
  EXPECT_EQ(service.digest, ipvs::digest(expected, ipvs::ServiceConfig{}.flags));
  double sum = 0;
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_DOUBLE_EQ(service.destinations[i].share, shareOf(expected, i));
    sum += service.destinations[i].share;
  }
  EXPECT_DOUBLE_EQ(sum, 1);
}

TEST_F(SharesTest, AServerThatIsOutKeepsItsShare) {
  const auto life = servingLife();
  const auto before = webOf(*life);
  failServer(*life, "192.0.2.102:80");
  const auto after = webOf(*life);
  EXPECT_EQ(after.destinations[1].weight, 0U);
  EXPECT_GT(after.destinations[1].share, 0);
  EXPECT_DOUBLE_EQ(after.destinations[1].share, before.destinations[1].share);
  EXPECT_EQ(after.digest, before.digest);
}

TEST_F(SharesTest, FollowTheTablesChanges) {
  const auto life = servingLife(site("1 2"));
  const auto two = webOf(*life);
  life->controller.reload(siteOf(site("1 2 3")), life->now);
  life->answerAll(Answer::pass);
  life->turn();
  const auto three = webOf(*life);
  EXPECT_NE(three.digest, two.digest);
  EXPECT_DOUBLE_EQ(three.destinations[2].share, shareOf(table({1, 1, 1}), 2));
}

TEST_F(SharesTest, NothingIsSaidOfTablesOfUnknownSize) {
  const auto life = servingLife();
  const auto service = webOf(*life, 0);
  EXPECT_EQ(service.digest, "");
  EXPECT_DOUBLE_EQ(service.destinations[0].share, 0);
}

TEST_F(SharesTest, OtherSchedulersHaveNone) {
  auto yaml = site();
  yaml.replace(yaml.find("pool: edge }"), 12, "pool: edge, scheduler: rr }");
  const auto life = servingLife(yaml);
  const auto service = webOf(*life);
  EXPECT_EQ(service.digest, "");
  EXPECT_DOUBLE_EQ(service.destinations[0].share, 0);
}

TEST_F(SharesTest, CountersGoToServicesDestinationsAndServers) {
  const auto life = servingLife();
  auto status = statusOf(life->controller.snapshot(life->now), {});
  ipvs::Statistics statistics;
  statistics[web].counters = {10, 20, 30, 40, 50};
  statistics[web].destinations[endpoint("192.0.2.102:80")] = {{1, 2, 3, 4, 5}, 6, 7};
  statistics[tcp("198.51.100.77:80")];  // somebody else's
  addStatistics(status, statistics, 123);
  addConnections(status);
  EXPECT_DOUBLE_EQ(status.countersAt, 123);
  const auto& service = status.services.at(0);
  EXPECT_EQ(service.connections, 10U);
  EXPECT_EQ(service.bytesOut, 50U);
  EXPECT_EQ(service.destinations[1].packetsIn, 2U);
  EXPECT_EQ(service.destinations[1].bytesIn, 4U);
  EXPECT_EQ(status.servers[1].activeConnections, 6U);
  EXPECT_EQ(status.servers[1].inactiveConnections, 7U);
  EXPECT_EQ(status.servers[0].activeConnections, 0U);
}

}  // namespace
}  // namespace l4ward::agent
