// Several checks a server, warm-up, agents' weights, a suspect node, probes through the tunnel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/controller_fixture.h"

namespace l4ward::agent {
namespace {

using healthcheck::Pace;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class ChecksTest : public ControllerTest {
 protected:
  static std::string siteWith(const std::string& checks, const std::string& pool,
                              const std::string& rest = "") {
    return "bgp: { local_as: 65001, router_id: 192.0.2.11, neighbors: [{ address: 192.0.2.1, "
           "peer_as: 65000 }] }\n" +
           rest + "checks:\n" + checks +
           "pools:\n  edge:\n    servers: [192.0.2.101, 192.0.2.102]\n" + pool +
           "services:\n  web: { vips: [198.51.100.1], ports: [80], pool: edge }\n";
  }

  static const healthcheck::Job& job(const Life& life, std::string_view target) {
    for (const auto& job : life.jobs) {
      if (job.probe.target == endpoint(target)) return job;
    }
    throw std::out_of_range("no such job");
  }
};

TEST_F(ChecksTest, AllOfAServersChecksMustPass) {
  const auto yaml = siteWith(
      "  a: { type: tcp, port: 81, rise: 1, fall: 1 }\n  b: { type: tcp, port: 82, rise: 1, fall: "
      "1 }\n",
      "    check: [a, b]\n");
  const auto life = servingLife(yaml);
  EXPECT_THAT(weights(web), ElementsAre(1, 1));
  life->answer("192.0.2.101:82", Answer::fail);
  life->turn();
  EXPECT_THAT(weights(web), ElementsAre(0, 1));
  life->answer("192.0.2.101:81", Answer::fail);
  life->answer("192.0.2.101:82", Answer::pass);
  life->turn();
  EXPECT_THAT(weights(web), ElementsAre(0, 1));
  life->answer("192.0.2.101:81", Answer::pass);
  life->turn();
  EXPECT_THAT(weights(web), ElementsAre(1, 1));
}

TEST_F(ChecksTest, TheAnnouncementWaitsForTheVerdictOfEachCheck) {
  const auto life = newLife(siteWith("  a: { type: tcp, port: 81 }\n  b: { type: tcp, port: 82 }\n",
                                     "    check: [a, b]\n"));
  life->answer("192.0.2.101:81", Answer::pass);
  life->answer("192.0.2.102:81", Answer::pass);
  life->turn();
  EXPECT_THAT(life->announced(), IsEmpty());
  life->answer("192.0.2.101:82", Answer::pass);
  life->answer("192.0.2.102:82", Answer::pass);
  life->turn();
  EXPECT_THAT(life->announced(), ElementsAre(kVip));
}

TEST_F(ChecksTest, AServerThatComesBackWarmsUpAndOneAtTheStartDoesNot) {
  const auto life = servingLife(
      siteWith("  a: { type: tcp, rise: 1, fall: 1 }\n", "    check: a\n    warm_up: 10s\n"));
  EXPECT_THAT(weights(web), ElementsAre(1, 1));
  life->answer("192.0.2.101:80", Answer::fail);
  life->turn();
  life->answer("192.0.2.101:80", Answer::pass);
  life->turn();
  EXPECT_THAT(weights(web), ElementsAre(0, 1));
  EXPECT_LE(life->due, life->now + Millis(10000));
  life->now += Millis(10000);
  life->turn();
  EXPECT_THAT(weights(web), ElementsAre(1, 1));
}

TEST_F(ChecksTest, AnAgentsPercentageChangesTheWeightOnlyWhereThatIsAllowed) {
  const std::string checks = "  a: { type: agent, port: 9000 }\n";
  const std::string servers = "    check: a\n";
  for (const bool allowed : {false, true}) {
    kernel = ipvs::FakeKernel();
    memory.value = {};
    auto yaml = siteWith(checks, servers + (allowed ? "    agent_weight: true\n" : ""));
    yaml.replace(yaml.find("[192.0.2.101, 192.0.2.102]"), 26,
                 "[{ name: a, address: 192.0.2.101, weight: 8 }, 192.0.2.102]");
    const auto life = servingLife(yaml);
    life->answer(job(*life, "192.0.2.101:9000"), Answer::pass, 45);
    life->turn();
    EXPECT_THAT(weights(web), ElementsAre(allowed ? 4 : 8, 1));  // the nearest quarter
    life->answer(job(*life, "192.0.2.101:9000"), Answer::pass, 1);
    life->turn();
    EXPECT_THAT(weights(web), ElementsAre(allowed ? 2 : 8, 1));
  }
}

TEST_F(ChecksTest, ASilentAgentNeverLowersAServer) {
  const auto life =
      newLife(siteWith("  a: { type: agent, port: 9000, rise: 1, fall: 1 }\n", "    check: a\n"));
  life->answerAll(Answer::silent);
  life->turn();
  EXPECT_THAT(weights(web), ElementsAre(1, 1));
  EXPECT_THAT(life->announced(), ElementsAre(kVip));
  life->answer("192.0.2.101:9000", Answer::drain);
  life->answer("192.0.2.101:9000", Answer::silent);
  life->turn();
  EXPECT_THAT(weights(web), ElementsAre(0, 1));  // what it said last holds
}

TEST_F(ChecksTest, WhenAllFailAtOnceTheNodeWithdrawsAndLeavesIpvsAlone) {
  const auto life =
      servingLife(siteWith("  a: { type: tcp, rise: 1, fall: 1 }\n", "    check: a\n"));
  life->answer("192.0.2.101:80", Answer::fail);
  life->turn();
  EXPECT_THAT(weights(web), ElementsAre(0, 1));
  life->now += Millis(500);
  life->answer("192.0.2.102:80", Answer::fail);
  life->turn();
  EXPECT_THAT(life->announced(), IsEmpty());
  EXPECT_THAT(weights(web), ElementsAre(1, 1));
  life->answer("192.0.2.102:80", Answer::pass);  // the other one is dead indeed
  life->turn();
  EXPECT_THAT(weights(web), ElementsAre(0, 1));
  EXPECT_THAT(life->announced(), ElementsAre(kVip));
}

TEST_F(ChecksTest, ServersThatFailOneAfterTheOtherAreBelieved) {
  const auto life =
      servingLife(siteWith("  a: { type: tcp, rise: 1, fall: 1 }\n", "    check: a\n"));
  life->answer("192.0.2.101:80", Answer::fail);
  life->turn();
  life->now += Millis(60000);
  life->answer("192.0.2.102:80", Answer::fail);
  life->turn();
  EXPECT_THAT(weights(web), ElementsAre(0, 0));
  EXPECT_THAT(life->announced(), IsEmpty());
}

TEST_F(ChecksTest, ASiteMayBelieveItsChecksWhatever) {
  const auto life = servingLife(siteWith("  a: { type: tcp, rise: 1, fall: 1 }\n", "    check: a\n",
                                         "on_all_down: believe\n"));
  life->answerAll(Answer::fail);
  life->turn();
  EXPECT_THAT(weights(web), ElementsAre(0, 0));
}

TEST_F(ChecksTest, TheRhythmFollowsTheState) {
  const auto life =
      servingLife(siteWith("  a: { type: tcp, rise: 2, fall: 2 }\n", "    check: a\n"));
  const auto& first = job(*life, "192.0.2.101:80");
  EXPECT_EQ(life->pace[first.id], Pace::normal);
  life->answer(first, Answer::fail);
  EXPECT_EQ(life->pace[first.id], Pace::fast);
  life->answer(first, Answer::fail);
  EXPECT_EQ(life->pace[first.id], Pace::down);
  life->answer(first, Answer::pass);
  EXPECT_EQ(life->pace[first.id], Pace::fast);
}

class TunnelChecksTest : public ChecksTest {
 protected:
  static std::string yaml(const std::string& servers = "[192.0.2.101, 192.0.2.102]") {
    auto text = siteWith("  a: { type: tcp, via: tunnel, source: 192.0.2.11, rise: 1, fall: 1 }\n",
                         "    check: a\n", "data_path: { uplinks: [eth0] }\n");
    return text.replace(text.find("[192.0.2.101, 192.0.2.102]"), 26, servers);
  }
  std::map<IpAddress, ipvs::ServiceKey> probeServices() {
    std::map<IpAddress, ipvs::ServiceKey> found;
    const auto table = kernel.dump().value();
    for (const auto& [key, service] : table) {
      if (!key.isMark()) continue;
      EXPECT_THAT(service.destinations, SizeIs(1));
      found.emplace(service.destinations.at(0).address.address, key);
    }
    return found;
  }
};

TEST_F(TunnelChecksTest, EachServerHasAServiceOfItsOwnForProbes) {
  const auto life = servingLife(yaml());
  const auto services = probeServices();
  ASSERT_THAT(services, SizeIs(2));
  for (const auto& job : life->jobs) {
    ASSERT_TRUE(job.probe.dataPath);
    EXPECT_EQ(job.probe.dataPath->vip, endpoint("198.51.100.1:80"));
    EXPECT_EQ(job.probe.dataPath->mark, services.at(job.probe.target.address).mark);
    EXPECT_GE(job.probe.dataPath->mark, 0x7f000000U);
    EXPECT_LE(job.probe.dataPath->mark, 0x7f00ffffU);
  }
  EXPECT_THAT(life->announced(), ElementsAre(kVip));
}

TEST_F(TunnelChecksTest, NoProbeIsMadeBeforeItsServiceExists) {
  kernel.failure = [](std::size_t, const ipvs::Operation& operation) {
    return operation.service.isMark() ? ENOMEM : 0;
  };
  const auto life = newLife(yaml());
  EXPECT_THAT(life->jobs, IsEmpty());
  kernel.failure = nullptr;
  life->now = life->due;
  life->turn();
  EXPECT_THAT(life->jobs, SizeIs(2));
}

TEST_F(TunnelChecksTest, AProbeServiceGoesWithItsServerAndTheOthersMarksStay) {
  const auto life = servingLife(yaml());
  const auto before = probeServices();
  life->controller.reload(siteOf(yaml("[192.0.2.102]")), life->now);
  life->turn();
  const auto after = probeServices();
  ASSERT_THAT(after, SizeIs(1));
  EXPECT_EQ(after.at(ip("192.0.2.102")), before.at(ip("192.0.2.102")));
}

TEST_F(TunnelChecksTest, NoneIsLeftOverWhenTheSiteChangedWhileTheAgentWasDead) {
  servingLife(yaml());
  const auto life =
      servingLife(siteWith("  a: { type: tcp, rise: 1, fall: 1 }\n", "    check: a\n"));
  EXPECT_THAT(probeServices(), IsEmpty());
}

TEST_F(TunnelChecksTest, OneThatIsNotOnRecordGoesToo) {
  servingLife(yaml());
  memory.value = {};
  servingLife(yaml("[192.0.2.102]"));
  EXPECT_THAT(probeServices(), SizeIs(1));
}

TEST_F(TunnelChecksTest, ARestartWithoutChangeWritesNothing) {
  servingLife(yaml());
  const auto before = writes();
  servingLife(yaml());
  EXPECT_EQ(writes(), before);
}

}  // namespace
}  // namespace l4ward::agent
