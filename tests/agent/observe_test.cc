// An agent that observes: what it finds, and that it writes nothing.
#include "agent/read_only.h"

#include <gmock/gmock.h>

#include "tests/agent/controller_fixture.h"

namespace l4ward::agent {
namespace {

using Kind = Difference::Kind;

class ObserveTest : public ControllerTest {
 protected:
  // Somebody else's services: one operation after the other, as ipvsadm does.
  void program(const ipvs::ServiceKey& key, const std::vector<ipvs::AddDestination>& servers,
               const ipvs::ServiceConfig& config = {}) {
    std::vector<ipvs::Operation> operations{{key, ipvs::AddService{config}}};
    for (const auto& server : servers) operations.push_back({key, server});
    ASSERT_TRUE(kernel.apply(operations).failures.empty());
    written = kernel.operations();
  }
  static ipvs::AddDestination server(const std::string& address, std::uint32_t weight = 1) {
    return {endpoint(address + ":80"), {}, weight, {}};
  }
  // As l4ward itself would do it: in descending order.
  void programAll() {
    program(web, {server("192.0.2.103"), server("192.0.2.102"), server("192.0.2.101")});
    interfaces.held["lo"].insert(host("198.51.100.1"));
  }
  Life& observe(const std::string& yaml = site()) {
    life = std::make_unique<Life>(kernel, interfaces, memory, 0, true);
    EXPECT_TRUE(life->controller.start(siteOf(yaml), life->now));
    life->turn();
    return *life;
  }
  std::set<std::string> found(Kind kind) const {
    std::set<std::string> subjects;
    for (const auto& [key, difference] : life->controller.differences()) {
      if (key.first == kind) subjects.insert(key.second);
    }
    return subjects;
  }
  const Difference& difference(Kind kind, const std::string& subject) const {
    return life->controller.differences().at({kind, subject});
  }
  void TearDown() override {
    EXPECT_EQ(kernel.operations(), written);
    EXPECT_EQ(interfaces.writes, 0);
    EXPECT_EQ(life->globals.operations, 0U);
    EXPECT_TRUE(life->published.empty());
    EXPECT_EQ(life->generation, 0U);
    EXPECT_TRUE(memory.value.owned.empty());
    EXPECT_FALSE(life->controller.isReady());
  }

  std::unique_ptr<Life> life;
  std::size_t written = 0;
};

using Subjects = std::set<std::string>;

TEST_F(ObserveTest, NothingDiffersWhereTheKernelIsAsWanted) {
  programAll();
  auto& agent = observe();
  EXPECT_FALSE(agent.controller.hasVerdicts());
  agent.answerAll(Answer::pass);
  agent.turn();
  EXPECT_TRUE(agent.controller.hasVerdicts());
  EXPECT_TRUE(agent.controller.differences().empty());
}

TEST_F(ObserveTest, AnEmptyKernelLacksAll) {
  auto& agent = observe();
  agent.answerAll(Answer::pass);
  for (int i = 0; i < 20; ++i) agent.turnWhenDue();
  EXPECT_EQ(found(Kind::service), Subjects{"tcp 198.51.100.1:80"});
  EXPECT_EQ(found(Kind::vip), Subjects{"198.51.100.1"});
  EXPECT_EQ(difference(Kind::service, "tcp 198.51.100.1:80").operations.front().substr(0, 11),
            "add service");
  EXPECT_TRUE(found(Kind::server).empty());  // it would be the same for each
}

TEST_F(ObserveTest, BeforeVerdictsNothingIsCompared) {
  program(web, {server("192.0.2.101")});
  observe();
  EXPECT_TRUE(life->controller.differences().empty());
}

TEST_F(ObserveTest, VerdictsDifferFromTheKernelsWeights) {
  programAll();
  auto& agent = observe();
  agent.answerAll(Answer::pass);
  agent.turn();
  failServer(agent, "192.0.2.102:80");
  EXPECT_EQ(found(Kind::server), Subjects{"edge/lb7-2"});
  EXPECT_EQ(difference(Kind::server, "edge/lb7-2").text,
            "takes no new flows by its checks, the kernel sends it some in 1 service");
  EXPECT_EQ(difference(Kind::service, "tcp 198.51.100.1:80").operations,
            std::vector<std::string>{"edit 192.0.2.102:80 weight 0 tunnel ipip"});
}

TEST_F(ObserveTest, WhatOthersMendDiffersNoMore) {
  programAll();
  auto& agent = observe();
  agent.answerAll(Answer::pass);
  failServer(agent, "192.0.2.102:80");
  const auto since = difference(Kind::server, "edge/lb7-2").since;
  agent.turnWhenDue();
  EXPECT_EQ(difference(Kind::server, "edge/lb7-2").since, since);
  const ipvs::EditDestination out{endpoint("192.0.2.102:80"), {}, 0, {}};
  ASSERT_EQ(kernel.apply(std::vector<ipvs::Operation>{{web, out}}).applied, 1U);
  written = kernel.operations();
  agent.now += std::chrono::seconds(3);
  agent.turn();
  EXPECT_TRUE(found(Kind::server).empty());
}

TEST_F(ObserveTest, AServerThatTheKernelDoesNotHaveIsSaidToBeMissing) {
  program(web, {server("192.0.2.103"), server("192.0.2.101", 0)});
  auto& agent = observe();
  for (int i = 0; i < 3; ++i) agent.answerAll(Answer::pass);
  agent.turn();
  EXPECT_EQ(difference(Kind::server, "edge/lb7-2").text,
            "takes new flows by its checks, the kernel does not have it in 1 service");
  EXPECT_EQ(difference(Kind::server, "edge/lb7-1").text,
            "takes new flows by its checks, the kernel has it at weight 0 in 1 service");
}

TEST_F(ObserveTest, ServicesThatTheSiteFileHasNotAreForeign) {
  programAll();
  program(tcp("198.51.100.9:25"), {server("192.0.2.109")});
  auto& agent = observe();
  agent.answerAll(Answer::pass);
  agent.turn();
  EXPECT_EQ(found(Kind::foreign), Subjects{"tcp 198.51.100.9:25"});
  EXPECT_TRUE(found(Kind::service).empty());
}

TEST_F(ObserveTest, AServerThatIsNotInTheSiteFileWouldBeDeleted) {
  program(web, {server("192.0.2.109"), server("192.0.2.103"), server("192.0.2.102"),
                server("192.0.2.101")});
  auto& agent = observe();
  agent.answerAll(Answer::pass);
  agent.turn();
  EXPECT_THAT(difference(Kind::service, "tcp 198.51.100.1:80").operations,
              testing::Contains("delete 192.0.2.109:80"));
}

TEST_F(ObserveTest, TimeoutsAndSysctlsAreCompared) {
  programAll();
  life = std::make_unique<Life>(kernel, interfaces, memory, 0, true);
  life->sysctls = {{"net.ipv4.ip_forward", "0", "1", {}}};
  ASSERT_TRUE(
      life->controller.start(siteOf(site() + "ipvs: { timeouts: { tcp: 10m } }\n"), life->now));
  life->turn();
  life->answerAll(Answer::pass);
  life->turn();
  EXPECT_EQ(found(Kind::global), Subjects{"set timeouts tcp 600s"});
  EXPECT_EQ(difference(Kind::sysctl, "net.ipv4.ip_forward").text, "is 0, would be 1");
}

TEST_F(ObserveTest, AServiceThatIsDroppedIsNobodysToDelete) {
  programAll();
  auto& agent = observe();
  agent.answerAll(Answer::pass);
  agent.controller.reload(siteOf(site("1 2 3", "alt")), agent.now);
  agent.answerAll(Answer::pass);
  for (int i = 0; i < 100; ++i) agent.turnWhenDue();
  EXPECT_EQ(found(Kind::foreign), Subjects{"tcp 198.51.100.1:80"});
}

TEST_F(ObserveTest, ProbesThroughTheTunnelAreNotMadeAndNoFailure) {
  programAll();
  auto yaml = site();
  yaml.replace(yaml.find("path: /healthcheck"), 0, "via: tunnel, source: 192.0.2.11, ");
  yaml += "data_path: { uplinks: [eth0] }\n";
  auto& agent = observe(yaml);
  const auto given = agent.jobsGiven;
  for (int i = 0; i < 200; ++i) agent.turnWhenDue();
  EXPECT_TRUE(agent.jobs.empty());
  EXPECT_EQ(agent.jobsGiven, given);  // the prober is not told again and again
  EXPECT_TRUE(agent.controller.hasVerdicts());
  EXPECT_TRUE(found(Kind::server).empty());  // the kernel's word counts
}

// Whatever the agent did: its edges are deaf.
TEST(ReadOnly, RefusesEveryWrite) {
  auto held = std::make_unique<ipvs::FakeKernel>();
  const auto& fake = *held;
  ReadOnlyKernel kernel(std::move(held));
  const std::vector<ipvs::Operation> operations{{tcp("198.51.100.1:80"), ipvs::AddService{}},
                                                {tcp("198.51.100.2:80"), ipvs::AddService{}}};
  const auto report = kernel.apply(operations);
  EXPECT_EQ(report.applied, 0U);
  ASSERT_EQ(report.failures.size(), 2U);
  EXPECT_EQ(report.failures[1].index, 1U);
  EXPECT_EQ(report.failures[1].error.code, EPERM);
  EXPECT_EQ(fake.operations(), 0U);
  EXPECT_TRUE(kernel.dump());

  ReadOnlyInterfaces interfaces(std::make_unique<FakeInterfaces>());
  EXPECT_FALSE(interfaces.ensureInterface("lo"));
  EXPECT_FALSE(interfaces.add("lo", host("198.51.100.1")));
  EXPECT_FALSE(interfaces.remove("lo", host("198.51.100.1")));
  EXPECT_TRUE(interfaces.list("lo"));

  ReadOnlyGlobals globals(std::make_unique<ipvs::FakeGlobals>());
  const std::vector<ipvs::GlobalsOperation> change{{ipvs::SetTimeouts{{600, {}, {}}}}};
  EXPECT_EQ(globals.apply(change).failures.size(), 1U);
  EXPECT_EQ(globals.dump()->timeouts.tcp, 900U);
}

}  // namespace
}  // namespace l4ward::agent
