#include "agent/controller.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/agent/controller_fixture.h"

namespace l4ward::agent {
namespace {

TEST_F(ControllerTest, AnnouncesOnlyWhenEachServerHasItsVerdict) {
  auto life = newLife(site());
  EXPECT_EQ(weights(web), (std::vector<std::uint32_t>{0, 0, 0}));
  EXPECT_TRUE(interfaces.held["lo"].contains(host("198.51.100.1")));
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
  EXPECT_EQ(life->pace.at(id), healthcheck::Pace::fast);
  life->answerAll(Answer::pass);
  EXPECT_EQ(life->pace.at(id), healthcheck::Pace::normal);
  life->answerAll(Answer::fail);
  EXPECT_EQ(life->pace.at(id), healthcheck::Pace::fast);
  life->answerAll(Answer::pass);
  EXPECT_EQ(life->pace.at(id), healthcheck::Pace::normal);
}

TEST_F(ControllerTest, TheProberIsToldOnlyOfChecksThatAreNew) {
  auto life = newLife(site("1 2"));
  life->answerAll(Answer::pass);
  const int given = life->jobsGiven;
  life->pace.clear();
  life->controller.reload(siteOf(site("1 2")), life->now);
  life->turn();
  EXPECT_EQ(life->jobsGiven, given);
  life->controller.reload(siteOf(site("1 2 3")), life->now);
  life->turn();
  EXPECT_EQ(life->jobsGiven, given + 1);
  EXPECT_EQ(life->jobs.size(), 3U);
  EXPECT_EQ(life->pace.size(), 1U);
  life->controller.reload(siteOf(site("1 3")), life->now);
  life->turn();
  EXPECT_EQ(life->jobsGiven, given + 2);
  EXPECT_EQ(life->jobs.size(), 2U);
}

TEST_F(ControllerTest, ForeignServicesAndAddressesAreLeftAlone) {
  const auto foreign = tcp("203.0.113.9:25");
  kernel.apply(std::vector<ipvs::Operation>{{foreign, ipvs::AddService{{"rr", 0, 0}}}});
  interfaces.held["lo"].insert(host("127.0.0.1"));
  auto life = servingLife();
  life->controller.reload(siteOf(site("1 2")), life->now);
  for (int i = 0; i < 5; ++i, life->now += Millis(60000)) life->turn();
  EXPECT_EQ(kernel.dump().value().at(foreign).config.scheduler, "rr");
  EXPECT_TRUE(interfaces.held["lo"].contains(host("127.0.0.1")));
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
  auto life = newLife(site() + "on_all_down: believe\n");
  life->answerAll(Answer::pass);
  life->turn();
  life->sync();
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
  b.controller.onRelayConnected({}, b.now);
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

TEST_F(ControllerTest, AStartReadsTheKernelOnce) {
  auto life = servingLife();
  life.reset();
  const auto dumps = kernel.dumps();
  life = newLife(site());
  EXPECT_EQ(kernel.dumps() - dumps, 1U);
  life->now += Millis(30000);
  EXPECT_LE(life->due, life->now);
  life->turn();
  EXPECT_EQ(kernel.dumps() - dumps, 2U);
}

}  // namespace
}  // namespace l4ward::agent
