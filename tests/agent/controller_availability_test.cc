// What becomes of virtual IPs when servers fail: backup pool, panic, last resort, hysteresis.
#include <gtest/gtest.h>

#include <random>

#include "agent/controller.h"
#include "tests/agent/availability_fixture.h"

namespace l4ward::agent {
namespace {

constexpr std::uint32_t kLast = 4294967294;

TEST_F(ControllerAvailability, TheBackupPoolStandsInAndGoesWhenTheServersAreBack) {
  auto life = servingLife(yaml("backup_pool: reserve"));
  EXPECT_EQ(held(), "101=1 102=1 103=4");
  EXPECT_EQ(life->jobs.size(), 5U);
  failAll(*life);
  EXPECT_EQ(held(), "51=1 101=0 102=0 103=0 201=2");
  EXPECT_EQ(life->announced(), std::set<std::string>{kVip});
  kernel.setConnections(web, endpoint(kBackups[0]), 2, 0);

  pass(*life, kServers[1]);
  EXPECT_EQ(held(), "51=0 101=0 102=1 103=0 201=0");
  life->turnWhenDue();
  EXPECT_EQ(held(), "51=0 101=0 102=1 103=0");  // its flows end first
  kernel.setConnections(web, endpoint(kBackups[0]), 0, 0);
  life->turnWhenDue();
  EXPECT_EQ(held(), "101=0 102=1 103=0");
  EXPECT_EQ(life->announced(), std::set<std::string>{kVip});
}

TEST_F(ControllerAvailability, TheListEndsUpInOrderWithNominalLastWeights) {
  auto life = servingLife(yaml("backup_pool: reserve"));
  failAll(*life);
  for (const auto& [server, weight] :
       {std::pair{kServers[0], 1U}, {kServers[2], 4U}, {kBackups[0], 1U}, {kBackups[1], 2U}}) {
    EXPECT_EQ(kernel.lastWeight(web, endpoint(server)), weight) << server;
  }
}

TEST_F(ControllerAvailability, AServerOfThePoolThatIsUpStaysInUntilABackupIs) {
  auto life = servingLife(yaml("backup_pool: reserve, quorum: 2, below_quorum: keep"));
  for (const auto* backup : kBackups) fail(*life, backup);
  fail(*life, kServers[0]);
  fail(*life, kServers[1]);
  EXPECT_EQ(held(), "51=0 101=0 102=0 103=4 201=0");
  pass(*life, kBackups[1]);
  EXPECT_EQ(held(), "51=0 101=0 102=0 103=0 201=2");
}

TEST_F(ControllerAvailability, AnAnnouncedVipAlwaysHasAServerThatIsIn) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    auto life = servingLife(yaml("backup_pool: reserve, quorum: { servers: 2, hysteresis: 1 }"));
    watch(*life);
    std::map<std::string, bool> up;
    for (const auto* server : kServers) up[server] = true;
    for (const auto* server : kBackups) up[server] = true;
    for (int i = 0; i < 60; ++i) {
      auto one = up.begin();
      std::advance(one, random() % up.size());
      const auto lives = std::ranges::count(up, true, [](const auto& e) { return e.second; });
      if (one->second && lives == 1) continue;
      one->second = !one->second;
      one->second ? pass(*life, one->first) : fail(*life, one->first);
      life->sync();
      if (random() % 3 == 0) life->turnWhenDue();
      EXPECT_TRUE(anyIn() || life->announced().empty());
    }
    kernel.failure = nullptr;
  }
}

TEST_F(ControllerAvailability, WithTheBackupPoolDeadAsWellTheVipGoes) {
  auto life = servingLife(yaml("backup_pool: reserve"));
  failAll(*life);
  for (const auto* backup : kBackups) fail(*life, backup);
  EXPECT_TRUE(life->announced().empty());
  pass(*life, kBackups[0]);
  EXPECT_EQ(life->announced(), std::set<std::string>{kVip});
}

// While verdicts are missing a new agent leaves it as it finds it.
TEST_F(ControllerAvailability, ARestartWhileTheBackupPoolStandsInChangesNothing) {
  auto first = servingLife(yaml("backup_pool: reserve"));
  failAll(*first);
  const auto table = held();
  const auto routes = first->published;
  first.reset();
  const auto before = writes();
  auto second = newLife(yaml("backup_pool: reserve"), routes);
  EXPECT_EQ(held(), table);
  for (const auto* server : kServers) second->answer(server, Answer::fail);
  second->turn();
  for (const auto* backup : kBackups) second->answer(backup, Answer::pass);
  second->turn();
  EXPECT_EQ(held(), table);
  EXPECT_EQ(second->published, routes);
  EXPECT_EQ(writes(), before);
}

TEST_F(ControllerAvailability, AReloadMayTakeTheBackupPoolAway) {
  auto life = servingLife(yaml("backup_pool: reserve"));
  failAll(*life);
  life->controller.reload(siteOf(yaml("quorum: 1")), life->now);
  life->turn();
  EXPECT_TRUE(life->announced().empty());
  life->turnWhenDue();
  EXPECT_EQ(held(), "101=0 102=0 103=0");
}

TEST_F(ControllerAvailability, TheLogTellsOfEachChangeOnce) {
  auto text = yaml("backup_pool: reserve");
  text.replace(text.find("198.51.100.1]"), 13, "198.51.100.0/29]");
  testing::internal::CaptureStderr();
  auto life = servingLife(text);
  failAll(*life);
  for (int i = 0; i < 3; ++i) life->turnWhenDue();
  pass(*life, kServers[0]);
  life->turnWhenDue();
  const auto log = testing::internal::GetCapturedStderr();
  const auto count = [&](std::string_view what) {
    std::size_t found = 0;
    for (auto at = log.find(what); at != log.npos; at = log.find(what, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count("service.backup"), 1U);  // and not eight times
  EXPECT_EQ(count("pool=\"0 of 3 servers up\" backup=\"2 of 2 servers up\""), 1U);
  EXPECT_EQ(count("service.primary"), 1U);
  EXPECT_EQ(count("service.panic"), 0U);
}

TEST_F(ControllerAvailability, PanicUsesAllServersAndRoutesFollowTheChecks) {
  auto life = servingLife(yaml("panic_threshold: 50%, quorum: 1"));
  fail(*life, kServers[2]);
  EXPECT_EQ(held(), "101=1 102=1 103=0");
  fail(*life, kServers[1]);
  EXPECT_EQ(held(), "101=1 102=1 103=4");
  EXPECT_EQ(life->announced(), std::set<std::string>{kVip});
  fail(*life, kServers[0]);
  EXPECT_EQ(held(), "101=1 102=1 103=4");
  EXPECT_TRUE(life->announced().empty());
  pass(*life, kServers[0]);
  pass(*life, kServers[1]);
  EXPECT_EQ(held(), "101=1 102=1 103=0");
  EXPECT_EQ(life->announced(), std::set<std::string>{kVip});
}

TEST_F(ControllerAvailability, ABackupThatServesIsBetterThanPanic) {
  auto life = servingLife(yaml("panic_threshold: 50%, backup_pool: reserve"));
  for (const auto* backup : kBackups) fail(*life, backup);
  failAll(*life);
  EXPECT_EQ(held(), "51=0 101=1 102=1 103=4 201=0");
  pass(*life, kBackups[0]);
  EXPECT_EQ(held(), "51=1 101=0 102=0 103=0 201=0");
}

TEST_F(ControllerAvailability, ASuspectNodeNeitherPanicsNorTurnsToTheBackupPool) {
  auto text = yaml("panic_threshold: 50%, backup_pool: reserve");
  text.replace(text.find("on_all_down: believe"), 20, "on_all_down: node-suspect");
  auto life = servingLife(text);
  const auto table = held();
  for (int i = 0; i < 3; ++i) life->answerAll(Answer::fail);
  life->turn();
  EXPECT_EQ(held(), table);
  EXPECT_TRUE(life->announced().empty());
}

TEST_F(ControllerAvailability, BelowItsQuorumAServiceIsALastResort) {
  auto life = servingLife(yaml("quorum: 2, below_quorum: depreference"));
  EXPECT_EQ(med(*life), 100U);
  fail(*life, kServers[0]);
  fail(*life, kServers[1]);
  EXPECT_EQ(med(*life), kLast);
  fail(*life, kServers[2]);
  EXPECT_EQ(med(*life), kLast);  // it was announced: others may be no better
  pass(*life, kServers[0]);
  EXPECT_EQ(med(*life), kLast);
  pass(*life, kServers[1]);
  EXPECT_EQ(med(*life), 100U);
}

TEST_F(ControllerAvailability, WithAllDeadAtTheStartNothingIsEverAnnounced) {
  for (const char* service :
       {"below_quorum: depreference", "below_quorum: keep", "below_quorum: withdraw",
        "below_quorum: keep, backup_pool: reserve, panic_threshold: 100%"}) {
    auto life = newLife(yaml(service));
    for (int i = 0; i < 5; ++i) {
      life->answerAll(Answer::fail);
      life->turn();
      life->turnWhenDue();
    }
    life->now += Millis(600000);
    life->turn();
    EXPECT_TRUE(life->announced().empty()) << service;
    pass(*life, kServers[0]);
    EXPECT_EQ(life->announced(), std::set<std::string>{kVip}) << service;
    life.reset();
    // The next one begins on an empty node.
    kernel.apply(std::vector<ipvs::Operation>{{web, ipvs::DeleteService{}}});
    memory.value = {};
  }
}

TEST_F(ControllerAvailability, BelowItsQuorumItMayAlsoStayAsItIs) {
  auto life = servingLife(yaml("quorum: 2, below_quorum: keep"));
  const auto routes = life->published;
  failAll(*life);
  EXPECT_EQ(life->published, routes);
}

TEST_F(ControllerAvailability, ALostQuorumIsRegainedAtItsHysteresis) {
  auto life = servingLife(yaml("quorum: { servers: 2, hysteresis: 1 }"));
  fail(*life, kServers[0]);
  EXPECT_FALSE(life->announced().empty());
  fail(*life, kServers[1]);
  EXPECT_TRUE(life->announced().empty());
  pass(*life, kServers[0]);
  EXPECT_TRUE(life->announced().empty());
  pass(*life, kServers[1]);
  EXPECT_FALSE(life->announced().empty());
  fail(*life, kServers[1]);
  EXPECT_FALSE(life->announced().empty());
}

TEST_F(ControllerAvailability, CrossingTheQuorumTwentyTimesEndsInTheStateOfHealth) {
  for (const char* service : {"quorum: 3", "quorum: 3, backup_pool: reserve",
                              "quorum: 3, below_quorum: depreference, panic_threshold: 50%"}) {
    auto life = servingLife(yaml(service));
    const auto table = held();
    const auto routes = life->published;
    for (int i = 0; i < 20; ++i) {
      fail(*life, kServers[i % 3]);
      EXPECT_NE(held(), table);
      pass(*life, kServers[i % 3]);
      life->sync();
    }
    for (int i = 0; i < 3; ++i) life->turnWhenDue();
    EXPECT_EQ(held(), table) << service;
    EXPECT_EQ(life->published, routes) << service;
    life.reset();
    memory.value = {};
    kernel.apply(std::vector<ipvs::Operation>{{web, ipvs::DeleteService{}}});
  }
}

TEST_F(ControllerAvailability, OneOfTheServicesOfAVipIsEnoughIfTheSiteSaysSo) {
  const std::string two =
      yaml("quorum: 1") + "  mail: { vips: [198.51.100.1], ports: [25], pool: edge, quorum: 3 }\n";
  auto life = servingLife(two);
  fail(*life, kServers[0]);
  EXPECT_TRUE(life->announced().empty());
  life->controller.reload(siteOf(two + "vips: { 198.51.100.1: { announce_when: any } }\n"),
                          life->now);
  life->turn();
  EXPECT_FALSE(life->announced().empty());
}

}  // namespace
}  // namespace l4ward::agent
