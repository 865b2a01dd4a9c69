// VIPs that are ranges, and services that are found by firewall mark.
#include <gmock/gmock.h>

#include "agent/model.h"
#include "tests/agent/controller_fixture.h"

namespace l4ward::agent {
namespace {

std::string ranges(const std::string& extra, const std::string& vips = "198.51.100.16/30") {
  return std::string(kHead) +
         "pools:\n  edge:\n    check: healthz\n    servers:\n"
         "      - { name: lb7-1, address: 192.0.2.101 }\n"
         "      - { name: lb7-2, address: 192.0.2.102 }\n"
         "services:\n  web: { vips: [" +
         vips + "], pool: edge" + extra + " }\n";
}

const ipvs::ServiceKey kMark = ipvs::ServiceKey::ofMark(7, Family::v4);

class RangeTest : public ControllerTest {};

TEST_F(RangeTest, OneServiceAnAddressAndOneRoute) {
  const auto life = servingLife(ranges(", ports: [80, 443]"));
  const auto table = kernel.dump().value();
  EXPECT_EQ(table.size(), 8U);
  EXPECT_TRUE(table.contains(tcp("198.51.100.16:80")));
  EXPECT_TRUE(table.contains(tcp("198.51.100.19:443")));
  EXPECT_EQ(life->announced(), std::set<std::string>{"198.51.100.16/30"});
  EXPECT_EQ(interfaces.held["lo"], std::set<Prefix>{Prefix::parse("198.51.100.16/30").value()});
  EXPECT_EQ(life->jobs.size(), 2U) << "a check is shared by all of the range";
}

TEST_F(RangeTest, AMarkIsOneServiceForAllAddresses) {
  const auto life = servingLife(ranges(", mark: 7", "198.51.100.16/30, 203.0.113.7"));
  const auto table = kernel.dump().value();
  ASSERT_EQ(table.size(), 1U);
  const auto& destinations = table.at(kMark).destinations;
  ASSERT_EQ(destinations.size(), 2U);
  EXPECT_EQ(destinations[0].address, endpoint("192.0.2.101:0"));
  EXPECT_EQ(destinations[0].weight, 1U);
  EXPECT_EQ(life->announced(), (std::set<std::string>{"198.51.100.16/30", "203.0.113.7/32"}));
}

TEST_F(RangeTest, AMarkHasAServiceAFamily) {
  const auto model = compile(siteOf(ranges(", mark: 7", "198.51.100.16/30, \"2001:db8::/124\"")));
  ASSERT_EQ(model.services.size(), 2U);
  EXPECT_EQ(model.services.at(kMark).vips.size(), 1U);
  EXPECT_TRUE(model.services.contains(ipvs::ServiceKey::ofMark(7, Family::v6)));
}

TEST_F(RangeTest, AllOfARangeIsWithdrawnWithItsServers) {
  const auto life = servingLife(ranges(", mark: 7"));
  failServer(*life, "192.0.2.101:80");
  EXPECT_FALSE(life->announced().empty());
  failServer(*life, "192.0.2.102:80");
  EXPECT_TRUE(life->announced().empty());
}

// One of two VIPs of a mark service goes: the service stays, its other VIP as well.
TEST_F(RangeTest, ADroppedVipOfAMarkServiceGoesAlone) {
  const auto life = servingLife(ranges(", mark: 7", "198.51.100.16/30, 203.0.113.7"));
  const auto operations = kernel.operations();
  life->controller.reload(siteOf(ranges(", mark: 7")), life->now);
  life->turn();
  EXPECT_EQ(life->announced(), std::set<std::string>{"198.51.100.16/30"});
  EXPECT_EQ(kernel.operations(), operations);
}

// A range that the file drops, also while the agent is down: withdrawn first, served until the
// routers have heard, then drained and deleted, and the addresses last.
TEST_F(RangeTest, ADroppedRangeIsWithdrawnThenDrainedThenDeleted) {
  bgp::RouteSet standing;
  {
    const auto life = servingLife(ranges(", mark: 7", "198.51.100.16/30, 203.0.113.7"));
    standing = life->published;
  }
  kernel.setConnections(kMark, endpoint("192.0.2.101:0"), 1);
  const auto life = newLife(site(), standing);
  EXPECT_FALSE(life->announced().contains("198.51.100.16/30"));
  EXPECT_EQ(weights(kMark), (std::vector<std::uint32_t>{1, 1})) << "routers may not have heard";
  life->sync();
  life->turn();
  life->now += Millis(5000);
  life->turn();
  EXPECT_EQ(weights(kMark), (std::vector<std::uint32_t>{0, 0}));
  life->now += Millis(1000);
  life->turn();
  EXPECT_EQ(weights(kMark), (std::vector<std::uint32_t>{0})) << "one server has connections";
  EXPECT_EQ(interfaces.held["lo"].size(), 3U);
  kernel.setConnections(kMark, endpoint("192.0.2.101:0"), 0);
  life->now += Millis(1000);
  life->turn();
  life->turn();
  EXPECT_FALSE(kernel.dump().value().contains(kMark));
  EXPECT_EQ(interfaces.held["lo"], std::set<Prefix>{host("198.51.100.1")});
}

TEST_F(RangeTest, PersistenceAndThresholdsReachTheKernel) {
  auto yaml = ranges(
      ", ports: all, persistence: { timeout: 2m, mask: 24 }, scheduler: sh, scheduler_flags: "
      "[sh-port]",
      "198.51.100.1");
  const std::string server = "address: 192.0.2.102";
  yaml.replace(yaml.find(server), server.size(), server + ", thresholds: { upper: 9, lower: 3 }");
  const auto life = servingLife(yaml);
  const auto service = kernel.dump().value().at(tcp("198.51.100.1:0"));
  EXPECT_EQ(service.config,
            (ipvs::ServiceConfig{"sh", ipvs::kFlagPersistent | ipvs::kFlagSched2, 120, 24}));
  EXPECT_EQ(service.destinations[1].thresholds, (ipvs::Thresholds{9, 3}));
}

}  // namespace
}  // namespace l4ward::agent
