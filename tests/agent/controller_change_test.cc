// Restarts, reloads and the stop: what happens to what an earlier agent or site file left.
#include "agent/controller.h"

#include <gtest/gtest.h>

#include "tests/agent/controller_fixture.h"

namespace l4ward::agent {
namespace {

TEST_F(ControllerTest, ARestartWithoutChangeWritesNothingAndPublishesTheSame) {
  auto first = servingLife();
  failServer(*first, "192.0.2.102:80");
  const auto routes = first->published;
  first.reset();
  const auto before = writes();
  const auto addressWrites = interfaces.writes;

  auto second = newLife(site(), routes);
  EXPECT_EQ(second->published, routes);
  second->answer("192.0.2.101:80", Answer::pass);
  second->answer("192.0.2.103:80", Answer::pass);
  second->answer("192.0.2.102:80", Answer::fail);
  second->turn();
  EXPECT_EQ(second->published, routes);
  EXPECT_EQ(writes(), before);
  EXPECT_EQ(interfaces.writes, addressWrites);
}

TEST_F(ControllerTest, AfterARestartOneFailedProbeTakesNoServerOut) {
  auto first = servingLife();
  first.reset();
  auto second = newLife(site());
  second->answer("192.0.2.101:80", Answer::fail);
  second->turn();
  EXPECT_EQ(weights(web), (std::vector<std::uint32_t>{1, 1, 1}));
}

TEST_F(ControllerTest, ARestartWithoutItsRecordRepeatsTheEditsThatItCannotKnow) {
  auto first = servingLife();
  failServer(*first, "192.0.2.102:80");
  first.reset();
  memory.value = {};
  const auto before = writes();
  auto second = newLife(site());
  EXPECT_EQ(writes() - before, 2U);  // nominal weight, and 0 again
  EXPECT_EQ(weights(web), (std::vector<std::uint32_t>{1, 0, 1}));
}

TEST_F(ControllerTest, AReloadKeepsTheDeadDead) {
  auto life = servingLife();
  failServer(*life, "192.0.2.102:80");
  auto yaml = site();
  yaml.replace(yaml.find("fall: 3"), 7, "fall: 4");  // another check, to the letter
  const auto before = writes();
  life->controller.reload(siteOf(yaml), life->now);
  life->turn();
  EXPECT_EQ(writes(), before);
  EXPECT_EQ(weights(web), (std::vector<std::uint32_t>{1, 0, 1}));
  EXPECT_FALSE(life->announced().empty());
}

TEST_F(ControllerTest, ADroppedServerDrainsBeforeItIsDeleted) {
  auto life = servingLife();
  kernel.setConnections(web, endpoint("192.0.2.102:80"), 3, 0);
  life->controller.reload(siteOf(site("1 3")), life->now);
  life->turn();
  EXPECT_EQ(weights(web), (std::vector<std::uint32_t>{1, 0, 1}));
  life->now += Millis(1000);
  EXPECT_LE(life->due, life->now);
  life->turn();
  EXPECT_EQ(weights(web).size(), 3U);
  kernel.setConnections(web, endpoint("192.0.2.102:80"), 0, 0);
  life->now += Millis(1000);
  life->turn();
  EXPECT_EQ(weights(web), (std::vector<std::uint32_t>{1, 1}));
}

TEST_F(ControllerTest, DrainingHasALimit) {
  auto life = servingLife();
  kernel.setConnections(web, endpoint("192.0.2.102:80"), 3, 0);
  life->controller.reload(siteOf(site("1 3") + "drain_limit: 10s\n"), life->now);
  life->turn();
  life->now += Millis(9000);
  life->turn();
  EXPECT_EQ(weights(web).size(), 3U);
  life->now += Millis(1000);
  life->turn();
  EXPECT_EQ(weights(web).size(), 2U);
}

TEST_F(ControllerTest, ADroppedServiceIsWithdrawnThenDrainedThenDeleted) {
  auto life = newLife(site("1", "web alt"));
  life->answerAll(Answer::pass);
  life->turn();
  life->sync();
  ASSERT_EQ(life->announced().size(), 2U);
  const auto alt = tcp("198.51.100.2:80");
  kernel.setConnections(alt, endpoint("192.0.2.101:80"), 1, 0);

  life->controller.reload(siteOf(site("1", "web")), life->now);
  life->turn();
  EXPECT_EQ(life->announced(), std::set<std::string>{kVip});
  EXPECT_EQ(weights(alt), std::vector<std::uint32_t>{1});  // ExaBGP has not acknowledged it yet
  life->sync();
  life->turn();
  EXPECT_EQ(weights(alt), std::vector<std::uint32_t>{1});  // nor has every router heard of it
  life->now += config::Shutdown().drain;
  life->turn();
  EXPECT_EQ(weights(alt), std::vector<std::uint32_t>{0});
  EXPECT_TRUE(interfaces.held["lo"].contains(host("198.51.100.2")));
  kernel.setConnections(alt, endpoint("192.0.2.101:80"), 0, 0);
  life->now += Millis(1000);
  life->turn();
  EXPECT_FALSE(kernel.dump().value().contains(alt));
  EXPECT_FALSE(interfaces.held["lo"].contains(host("198.51.100.2")));
}

TEST_F(ControllerTest, AServiceDroppedWhileTheAgentWasDownGoesTheSameWay) {
  auto first = newLife(site("1", "web alt"));
  first->answerAll(Answer::pass);
  first->turn();
  const auto routes = first->published;
  first.reset();

  auto second = newLife(site("1", "web"), routes);
  EXPECT_EQ(second->announced(), std::set<std::string>{kVip});
  EXPECT_EQ(weights(tcp("198.51.100.2:80")), std::vector<std::uint32_t>{1});
  second->sync();
  second->turn();
  second->now += config::Shutdown().drain;
  second->turn();
  second->now += Millis(1000);
  second->turn();
  EXPECT_FALSE(kernel.dump().value().contains(tcp("198.51.100.2:80")));
}

TEST_F(ControllerTest, StoppingWithdrawsEverythingAndLeavesTheKernelAsItIs) {
  auto life = servingLife();
  const auto before = writes();
  life->controller.withdrawAll();
  EXPECT_TRUE(life->announced().empty());
  EXPECT_FALSE(life->controller.isSynced());
  life->sync();
  EXPECT_TRUE(life->controller.isSynced());
  life->turn();  // late news changes nothing
  EXPECT_TRUE(life->announced().empty());
  EXPECT_EQ(writes(), before);
}

TEST_F(ControllerTest, ARelayThatIsHeardOnlyWhileStoppingIsToldToWithdrawAll) {
  auto life = std::make_unique<Life>(kernel, interfaces, memory);
  ASSERT_TRUE(life->controller.start(siteOf(site()), life->now));
  life->turn();
  life->controller.withdrawAll();
  EXPECT_FALSE(life->controller.isSynced());
  life->controller.onRelayConnected({{{ip("192.0.2.1"), Prefix::parse(kVip).value()}, {}}},
                                    life->now);
  EXPECT_EQ(life->generation, 1U);
  EXPECT_TRUE(life->published.empty());
}

TEST_F(ControllerTest, TheBgpSectionMayGo) {
  auto life = servingLife();
  auto yaml = site();
  yaml.erase(yaml.find("bgp:"), yaml.find("checks:") - yaml.find("bgp:"));
  life->controller.reload(siteOf(yaml), life->now);
  life->turn();
  EXPECT_TRUE(life->announced().empty());
  EXPECT_EQ(weights(web), (std::vector<std::uint32_t>{1, 1, 1}));
}

}  // namespace
}  // namespace l4ward::agent
