#include "agent/controller.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/agent/fixture.h"

namespace l4ward::agent {
namespace {

using healthcheck::Answer;
using testing::Test;

constexpr char kHead[] = R"(
bgp:
  local_as: 65001
  router_id: 192.0.2.11
  neighbors: [{ address: 192.0.2.1, peer_as: 65000 }, { address: 192.0.2.2, peer_as: 65000 }]
  communities: ["65001:80"]
  med: 100
checks:
  healthz: { type: http, port: 80, path: /healthcheck, rise: 2, fall: 3 }
)";

std::string site(const std::string& servers = "1 2 3", const std::string& services = "web") {
  std::string yaml = std::string(kHead) + "pools:\n  edge:\n    check: healthz\n    servers:\n";
  for (const char c : servers) {
    if (c == ' ') continue;
    yaml += std::string("      - { name: lb7-") + c + ", address: 192.0.2.10" + c + " }\n";
  }
  yaml += "services:\n";
  if (services.find("web") != services.npos) {
    yaml += "  web: { vips: [198.51.100.1], ports: [80], pool: edge }\n";
  }
  if (services.find("alt") != services.npos) {
    yaml += "  alt: { vips: [198.51.100.2], ports: [80], pool: edge }\n";
  }
  return yaml;
}

class ControllerTest : public Test {
 protected:
  static constexpr const char* kVip = "198.51.100.1/32";
  const ipvs::ServiceKey web = tcp("198.51.100.1:80");

  std::unique_ptr<Life> newLife(const std::string& yaml, const bgp::RouteSet& standing = {}) {
    auto life = std::make_unique<Life>(kernel, interfaces, memory);
    EXPECT_TRUE(life->controller.start(siteOf(yaml), life->now));
    life->controller.onRelayConnected(standing);
    life->turn();
    return life;
  }
  std::unique_ptr<Life> servingLife() {
    auto life = newLife(site());
    life->answerAll(Answer::pass);
    life->turn();
    life->sync();
    return life;
  }
  void failServer(Life& life, std::string_view target, int times = 3) {
    for (int i = 0; i < times; ++i) life.answer(target, Answer::fail);
    life.turn();
  }
  std::vector<std::uint32_t> weights(const ipvs::ServiceKey& key) {
    std::vector<std::uint32_t> out;
    const auto table = kernel.dump().value();
    for (const auto& destination : table.at(key).destinations) out.push_back(destination.weight);
    return out;
  }
  std::size_t writes() { return kernel.operations(); }

  ipvs::FakeKernel kernel;
  FakeInterfaces interfaces;
  MemoryFile memory{"", ""};
};

TEST_F(ControllerTest, AnnouncesOnlyWhenEachServerHasItsVerdict) {
  auto life = newLife(site());
  EXPECT_EQ(weights(web), (std::vector<std::uint32_t>{0, 0, 0}));
  EXPECT_TRUE(interfaces.held["lo"].contains(ip("198.51.100.1")));
  life->answer("192.0.2.101:80", Answer::pass);
  life->answer("192.0.2.102:80", Answer::pass);
  life->turn();
  EXPECT_TRUE(life->announced().empty());
  life->answer("192.0.2.103:80", Answer::fail);
  life->turn();
  EXPECT_EQ(weights(web), (std::vector<std::uint32_t>{1, 1, 0}));
  EXPECT_EQ(life->announced(), std::set<std::string>{kVip});
  ASSERT_EQ(life->published.size(), 2U);  // one route a neighbor
  const auto& attributes = life->published.begin()->second;
  EXPECT_EQ(attributes.nextHop, ip("192.0.2.11"));
  EXPECT_EQ(attributes.med, 100U);
}

TEST_F(ControllerTest, AnnouncesAfterTheDeadlineWithoutTheMissingVerdict) {
  auto life = newLife(site());
  life->answer("192.0.2.101:80", Answer::pass);
  life->turn();
  EXPECT_TRUE(life->announced().empty());
  const auto deadline = life->now + Millis(30000);
  EXPECT_LE(life->due, deadline);
  life->now = deadline;
  life->turn();
  EXPECT_EQ(life->announced(), std::set<std::string>{kVip});
}

TEST_F(ControllerTest, AnnouncesNothingWhenAllServersAreDeadAtStart) {
  auto life = newLife(site());
  life->answerAll(Answer::fail);
  life->turn();
  EXPECT_TRUE(life->announced().empty());
}

TEST_F(ControllerTest, FailureIsOneWriteAndTheLastOneWithdraws) {
  auto life = servingLife();
  const auto before = writes();
  failServer(*life, "192.0.2.102:80");
  EXPECT_EQ(writes() - before, 1U);
  EXPECT_EQ(weights(web), (std::vector<std::uint32_t>{1, 0, 1}));
  EXPECT_FALSE(life->announced().empty());
  failServer(*life, "192.0.2.101:80");
  failServer(*life, "192.0.2.103:80");
  EXPECT_TRUE(life->announced().empty());
  life->answer("192.0.2.101:80", Answer::pass);
  life->turn();
  EXPECT_TRUE(life->announced().empty());
  life->answer("192.0.2.101:80", Answer::pass);
  life->turn();
  EXPECT_EQ(life->announced(), std::set<std::string>{kVip});
}

TEST_F(ControllerTest, LocalErrorsAndDrainDoWhatTheySay) {
  auto life = servingLife();
  for (int i = 0; i < 10; ++i) life->answerAll(Answer::localError);
  life->turn();
  EXPECT_EQ(weights(web), (std::vector<std::uint32_t>{1, 1, 1}));
  for (int i = 0; i < 2; ++i) life->answer("192.0.2.101:80", Answer::drain);
  life->turn();
  EXPECT_EQ(weights(web), (std::vector<std::uint32_t>{0, 1, 1}));
}

TEST_F(ControllerTest, PendingAndUnverifiedChecksAreHurried) {
  auto life = newLife(site("1"));
  const auto id = life->jobs.front().id;
  EXPECT_TRUE(life->hurried.at(id));
  life->answerAll(Answer::pass);
  EXPECT_FALSE(life->hurried.at(id));
  life->answerAll(Answer::fail);
  EXPECT_TRUE(life->hurried.at(id));
  life->answerAll(Answer::pass);
  EXPECT_FALSE(life->hurried.at(id));
}

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
  EXPECT_TRUE(interfaces.held["lo"].contains(ip("198.51.100.2")));
  kernel.setConnections(alt, endpoint("192.0.2.101:80"), 0, 0);
  life->now += Millis(1000);
  life->turn();
  EXPECT_FALSE(kernel.dump().value().contains(alt));
  EXPECT_FALSE(interfaces.held["lo"].contains(ip("198.51.100.2")));
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

TEST_F(ControllerTest, ForeignServicesAndAddressesAreLeftAlone) {
  const auto foreign = tcp("203.0.113.9:25");
  kernel.apply(std::vector<ipvs::Operation>{{foreign, ipvs::AddService{{"rr", 0, 0}}}});
  interfaces.held["lo"].insert(ip("127.0.0.1"));
  auto life = servingLife();
  life->controller.reload(siteOf(site("1 2")), life->now);
  for (int i = 0; i < 5; ++i, life->now += Millis(60000)) life->turn();
  EXPECT_EQ(kernel.dump().value().at(foreign).config.scheduler, "rr");
  EXPECT_TRUE(interfaces.held["lo"].contains(ip("127.0.0.1")));
}

TEST_F(ControllerTest, AnUnprogrammedServiceIsNotAnnouncedAndTriedAgain) {
  kernel.failure = [](std::size_t, const ipvs::Operation&) { return ENOMEM; };
  auto life = newLife(site());
  life->answerAll(Answer::pass);
  life->turn();
  EXPECT_TRUE(life->announced().empty());
  kernel.failure = nullptr;
  life->now = life->due;
  life->turn();
  EXPECT_EQ(life->announced(), std::set<std::string>{kVip});
}

TEST_F(ControllerTest, NothingIsAnnouncedBeforeTheKernelHasItsServersBack) {
  auto life = servingLife();
  for (const auto* server : {"192.0.2.101:80", "192.0.2.102:80", "192.0.2.103:80"}) {
    failServer(*life, server);
  }
  ASSERT_TRUE(life->announced().empty());
  std::vector<std::size_t> announcedAtWrite;
  kernel.failure = [&](std::size_t, const ipvs::Operation&) {
    announcedAtWrite.push_back(life->announced().size());
    return 0;
  };
  life->answerAll(Answer::pass);
  life->answerAll(Answer::pass);
  life->turn();
  EXPECT_EQ(announcedAtWrite, std::vector<std::size_t>(3, 0));
  EXPECT_EQ(life->announced(), std::set<std::string>{kVip});
}

TEST_F(ControllerTest, NoAddressNoAnnouncement) {
  interfaces.refuse = true;
  auto life = newLife(site());
  life->answerAll(Answer::pass);
  life->turn();
  EXPECT_TRUE(life->announced().empty());
  interfaces.refuse = false;
  EXPECT_LE(life->due, life->now + Millis(1000));
  life->turn();
  EXPECT_FALSE(life->announced().empty());
}

TEST_F(ControllerTest, DriftIsMendedWithinThePeriod) {
  auto life = servingLife();
  kernel.apply(std::vector<ipvs::Operation>{{web, ipvs::DeleteService{}}});
  life->now += Millis(30000);
  EXPECT_LE(life->due, life->now);
  life->turn();
  EXPECT_EQ(weights(web), (std::vector<std::uint32_t>{1, 1, 1}));
}

TEST_F(ControllerTest, StoppingWithdrawsEverythingAndLeavesTheKernelAsItIs) {
  auto life = servingLife();
  const auto before = writes();
  life->controller.withdrawAll();
  EXPECT_TRUE(life->announced().empty());
  EXPECT_FALSE(life->controller.isWithdrawn());
  life->sync();
  EXPECT_TRUE(life->controller.isWithdrawn());
  life->turn();  // late news changes nothing
  EXPECT_TRUE(life->announced().empty());
  EXPECT_EQ(writes(), before);
}

TEST_F(ControllerTest, ARelayThatIsHeardOnlyWhileStoppingIsToldToWithdrawAll) {
  auto life = std::make_unique<Life>(kernel, interfaces, memory);
  ASSERT_TRUE(life->controller.start(siteOf(site()), life->now));
  life->turn();
  life->controller.withdrawAll();
  EXPECT_FALSE(life->controller.isWithdrawn());
  life->controller.onRelayConnected({{{ip("192.0.2.1"), Prefix::parse(kVip).value()}, {}}});
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

TEST_F(ControllerTest, WithTheSameSiteDifferentHistoriesEndInTheSameTable) {
  auto a = servingLife();
  failServer(*a, "192.0.2.101:80");
  failServer(*a, "192.0.2.103:80");
  for (int i = 0; i < 2; ++i) a->answer("192.0.2.103:80", Answer::pass);
  a->turn();

  ipvs::FakeKernel otherKernel;
  FakeInterfaces otherInterfaces;
  MemoryFile otherMemory{"", ""};
  Life b(otherKernel, otherInterfaces, otherMemory);
  ASSERT_TRUE(b.controller.start(siteOf(site("2 3")), b.now));
  b.controller.onRelayConnected({});
  b.turn();
  b.controller.reload(siteOf(site()), b.now);
  b.answer("192.0.2.101:80", Answer::fail);
  b.answer("192.0.2.102:80", Answer::pass);
  b.answer("192.0.2.103:80", Answer::pass);
  b.turn();

  EXPECT_EQ(kernel.dump().value(), otherKernel.dump().value());
  for (unsigned port = 1024; port < 5024; ++port) {
    const Endpoint client{ip("203.0.113.10"), static_cast<std::uint16_t>(port)};
    ASSERT_EQ(kernel.serverFor(web, client), otherKernel.serverFor(web, client));
  }
}

}  // namespace
}  // namespace l4ward::agent
