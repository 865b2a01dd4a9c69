#include "agent/status_builder.h"

#include <gmock/gmock.h>

#include "tests/agent/controller_fixture.h"

namespace l4ward::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr double kNow = 1'800'000'000;

class StatusBuilder : public ControllerTest {
 protected:
  control::NodeStatus statusAt(Life& life) {
    ProcessState process;
    process.at = kNow;
    process.phase = "running";
    process.relayConnected = true;
    return statusOf(life.controller.snapshot(life.now), process);
  }
  static const control::Server& server(const control::NodeStatus& status, const std::string& name) {
    return *std::ranges::find(status.servers, name, &control::Server::name);
  }
  static const control::Check& checkOf(const control::NodeStatus& status,
                                       const std::string& server) {
    return *std::ranges::find(status.checks, server, &control::Check::server);
  }
  void answer(Life& life, const std::string& target, Answer what,
              healthcheck::FailureKind kind = {}, const std::string& reason = "") {
    for (const auto& job : life.jobs) {
      if (job.probe.target != endpoint(target)) continue;
      life.controller.onOutcome({.target = job.id,
                                 .answer = what,
                                 .kind = kind,
                                 .reason = reason,
                                 .latency = 2ms,
                                 .at = life.now});
    }
  }
};

TEST_F(StatusBuilder, AnObserver) {
  servingLife();  // the kernel as l4ward has it
  Life life(kernel, interfaces, memory, 0, true);
  ASSERT_TRUE(life.controller.start(siteOf(site("1 2")), life.now));
  life.turn();
  life.answerAll(Answer::pass);
  life.now += 10s;
  life.turn();
  life.now += 5s;
  auto status = statusAt(life);
  EXPECT_FALSE(status.node.ready);
  EXPECT_FALSE(status.relay.configured);
  EXPECT_EQ(status.vips.at(0).state, "not-announced");
  EXPECT_EQ(status.vips.at(0).because, "web:80 2 of 2 servers up, quorum 1");
  addDifferences(status, life.controller.snapshot(life.now), 251);
  ASSERT_EQ(status.differences.size(), 1U);
  const auto& difference = status.differences[0];
  EXPECT_EQ(difference.kind, "service");
  EXPECT_EQ(difference.subject, "tcp 198.51.100.1:80");
  EXPECT_THAT(difference.text, testing::StartsWith("1 operation, moves 3"));  // a third
  EXPECT_THAT(difference.text, HasSubstr(" % needlessly"));
  EXPECT_THAT(difference.operations, ElementsAre("delete 192.0.2.103:80"));
  EXPECT_EQ(difference.since, kNow - 5);
}

TEST_F(StatusBuilder, AServingNode) {
  const auto life = servingLife();
  life->controller.onSession(ip("192.0.2.1"), "up", "", life->now);
  life->now += 30s;
  const auto status = statusAt(*life);
  EXPECT_EQ(status.node.phase, "running");
  EXPECT_TRUE(status.node.ready);
  EXPECT_TRUE(status.relay.configured && status.relay.connected && status.relay.synced);

  ASSERT_EQ(status.vips.size(), 1U);
  EXPECT_EQ(status.vips[0].prefix, kVip);
  EXPECT_EQ(status.vips[0].state, "announced");
  EXPECT_EQ(status.vips[0].because, "web:80 3 of 3 servers up, quorum 1");
  EXPECT_TRUE(status.vips[0].onInterface);
  EXPECT_DOUBLE_EQ(status.vips[0].since, kNow - 30);
  EXPECT_THAT(status.vips[0].services, ElementsAre("web"));
  EXPECT_THAT(status.vips[0].neighbors, ElementsAre("192.0.2.1", "192.0.2.2"));

  ASSERT_EQ(status.neighbors.size(), 2U);
  EXPECT_EQ(status.neighbors[0].state, "up");
  EXPECT_DOUBLE_EQ(status.neighbors[0].since, kNow - 30);
  EXPECT_EQ(status.neighbors[1].state, "unknown");
  EXPECT_EQ(status.neighbors[1].routes, 1U);

  ASSERT_EQ(status.services.size(), 1U);
  const auto& service = status.services[0];
  EXPECT_EQ(service.key, web.str());
  EXPECT_EQ(service.name, "web");
  EXPECT_EQ(service.pool, "edge");
  EXPECT_TRUE(service.programmed && service.quorum);
  EXPECT_EQ(service.up, 3U);
  EXPECT_EQ(service.total, 3U);
  EXPECT_EQ(service.uses, "checked");
  ASSERT_EQ(service.destinations.size(), 3U);
  EXPECT_EQ(service.destinations[0].address, "192.0.2.101:80");
  EXPECT_EQ(service.destinations[0].server, "lb7-1");
  EXPECT_EQ(service.destinations[0].pool, "edge");
  EXPECT_EQ(service.destinations[0].weight, 1U);
  EXPECT_FALSE(service.destinations[0].removed);

  ASSERT_EQ(status.servers.size(), 3U);
  for (const auto& s : status.servers) EXPECT_EQ(s.state, "up");
  ASSERT_EQ(status.checks.size(), 3U);
  for (const auto& check : status.checks) EXPECT_EQ(check.health, "up");
}

TEST_F(StatusBuilder, BeforeTheFirstAnswersNothingIsKnown) {
  const auto life = newLife(site());
  const auto status = statusAt(*life);
  EXPECT_FALSE(status.node.ready);
  EXPECT_EQ(status.vips[0].state, "not-announced");
  EXPECT_EQ(server(status, "lb7-1").state, "unknown");
  EXPECT_EQ(server(status, "lb7-1").because, "healthz: no answer yet");
  EXPECT_EQ(checkOf(status, "lb7-1").health, "unknown");
  EXPECT_FALSE(checkOf(status, "lb7-1").verified);
  EXPECT_THAT(checkOf(status, "lb7-1").history, IsEmpty());
}

TEST_F(StatusBuilder, AFailingServerSaysWhy) {
  using healthcheck::FailureKind;
  const auto life = servingLife();
  life->now += 10s;
  answer(*life, "192.0.2.102:80", Answer::fail, FailureKind::timeout, "no answer within 1s");
  auto check = checkOf(statusAt(*life), "lb7-2");
  EXPECT_EQ(check.health, "up");
  EXPECT_EQ(check.toward, "down");
  EXPECT_EQ(check.streak, 1U);
  EXPECT_EQ(check.needed, 3U);
  life->now += 1s;
  for (int i = 0; i < 2; ++i) {
    answer(*life, "192.0.2.102:80", Answer::fail, FailureKind::badStatus, "status 503");
  }
  life->turn();
  life->now += 5s;
  const auto status = statusAt(*life);
  const auto& failed = server(status, "lb7-2");
  EXPECT_EQ(failed.state, "down");
  EXPECT_EQ(failed.because, "healthz: status 503");
  EXPECT_DOUBLE_EQ(failed.since, kNow - 5);
  check = checkOf(status, "lb7-2");
  EXPECT_EQ(check.health, "down");
  EXPECT_EQ(check.toward, "");
  EXPECT_EQ(check.last.answer, "fail");
  EXPECT_EQ(check.last.kind, "bad-status");
  std::vector<std::string> history;
  for (const auto& result : check.history) history.push_back(result.answer + " " + result.kind);
  EXPECT_THAT(history, ElementsAre("fail bad-status", "fail timeout", "pass "));
  EXPECT_DOUBLE_EQ(check.history[1].at, kNow - 6);
  EXPECT_EQ(status.services[0].up, 2U);
  EXPECT_EQ(status.services[0].destinations[1].weight, 0U);
  EXPECT_EQ(status.services[0].destinations[1].nominal, 1U);
}

TEST_F(StatusBuilder, TheHistoryIsBounded) {
  const auto life = servingLife();
  for (int i = 0; i < 100; ++i) {
    answer(*life, "192.0.2.101:80", Answer::fail, {}, "failure " + std::to_string(i));
  }
  const auto history = checkOf(statusAt(*life), "lb7-1").history;
  EXPECT_EQ(history.size(), HealthTable::kMaxHistory);
  EXPECT_EQ(history.front().reason, "failure 99");
}

TEST_F(StatusBuilder, WithoutAnyServerTheVipIsWithdrawn) {
  const auto life = servingLife();
  life->now += 60s;
  for (const auto* target : {"192.0.2.101:80", "192.0.2.102:80", "192.0.2.103:80"}) {
    failServer(*life, target);
    life->now += 60s;
  }
  life->sync();
  const auto status = statusAt(*life);
  EXPECT_EQ(status.vips[0].state, "withdrawn");
  EXPECT_THAT(status.vips[0].because, HasSubstr("0 of 3 servers up"));
  EXPECT_DOUBLE_EQ(status.vips[0].since, kNow - 60);
  EXPECT_THAT(status.vips[0].neighbors, IsEmpty());
  EXPECT_FALSE(status.services[0].quorum);
}

TEST_F(StatusBuilder, ADrainingNodeSaysSo) {
  const auto life = servingLife();
  life->now += 60s;
  life->controller.setDraining();
  life->turn();
  life->now += 1s;
  const auto status = statusAt(*life);
  EXPECT_EQ(status.vips[0].state, "draining");
  EXPECT_DOUBLE_EQ(status.vips[0].since, kNow - 1);
}

TEST_F(StatusBuilder, AServerThatTheSiteFileDroppedIsShownUntilItIsGone) {
  const auto life = servingLife();
  kernel.setConnections(web, endpoint("192.0.2.103:80"), 5, 1);
  life->controller.reload(siteOf(site("1 2")), life->now);
  life->turn();
  const auto status = statusAt(*life);
  ASSERT_EQ(status.services[0].destinations.size(), 3U);
  const auto& dropped = status.services[0].destinations[2];
  EXPECT_TRUE(dropped.removed);
  EXPECT_EQ(dropped.server, "");
  EXPECT_EQ(dropped.weight, 0U);
  EXPECT_EQ(status.servers.size(), 2U);
}

TEST_F(StatusBuilder, AServerThatWarmsUpSaysHowLong) {
  auto yaml = site();
  yaml.replace(yaml.find("check: healthz"), 0, "warm_up: 20s\n    ");
  const auto life = servingLife(yaml);
  failServer(*life, "192.0.2.101:80");
  life->now += 10s;
  for (int i = 0; i < 2; ++i) life->answer("192.0.2.101:80", Answer::pass);
  life->turn();
  life->now += 5s;
  const auto status = statusAt(*life);
  EXPECT_EQ(server(status, "lb7-1").state, "warming");
  EXPECT_EQ(server(status, "lb7-1").because, "takes new connections in 15s");
}

TEST_F(StatusBuilder, TalliesTellOfAnswersThatWereNotNews) {
  const auto life = servingLife();
  const auto& job = life->jobs.front();
  life->now += 10s;
  healthcheck::Tallies tallies;
  auto& tally = tallies.jobs[job.id];
  for (int i = 0; i < 3; ++i) tally.add(healthcheck::passed("status 200"), 3ms, life->now - 1s);
  auto status = statusAt(*life);
  addTallies(status, life->controller.snapshot(life->now), tallies);
  const auto found = std::ranges::find(status.checks, checkId(job.id), &control::Check::id);
  EXPECT_THAT(found->made, ElementsAre(std::pair("pass", 3U)));
  EXPECT_DOUBLE_EQ(found->last.at, kNow - 1);
  EXPECT_DOUBLE_EQ(found->last.latency, 0.003);
  const auto& counts = found->seconds.counts;
  ASSERT_EQ(counts.size(), found->seconds.bounds.size() + 1);
  EXPECT_EQ(counts[1], 0U);  // up to 2.5 ms
  EXPECT_EQ(counts[2], 3U);  // up to 5 ms
  EXPECT_EQ(counts.back(), 3U);
}

}  // namespace
}  // namespace l4ward::agent
