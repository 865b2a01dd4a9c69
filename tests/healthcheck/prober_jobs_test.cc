// The rhythm of probes and the life of jobs; real sockets on the loopback.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "tests/healthcheck/outcomes.h"
#include "tests/healthcheck/test_server.h"

namespace l4ward::healthcheck {
namespace {

using namespace std::chrono_literals;

const Script silent = [](Connection& connection) { connection.waitForClose(); };

Clock::duration between(const Outcome& first, const Outcome& last) {
  return (last.at - last.latency) - (first.at - first.latency);
}

TEST(ProberJobs, KeepTheirInterval) {
  const TestServer server(Family::v4, answerWithLength(200));
  Outcomes outcomes;
  Prober prober(outcomes.sink());
  prober.setJobs({makeJob(1, httpProbe(server.endpoint()), 50ms)});
  const auto seen = outcomes.waitFor(1, 11);
  EXPECT_GE(between(seen.front(), seen.back()), 500ms - 200ms);  // the first may have been late
  for (const auto& outcome : seen) EXPECT_EQ(outcome.answer, Answer::pass) << outcome.reason;
}

TEST(ProberJobs, FirstProbesAreSpread) {
  const TestServer server(Family::v4, silent);
  Outcomes outcomes;
  Prober prober(outcomes.sink());
  std::vector<Job> jobs;
  for (std::uint64_t id = 0; id < 5; ++id) {
    jobs.push_back(makeJob(id, tcpProbe(server.endpoint()), 500ms));
  }
  const auto start = Clock::now();
  prober.setJobs(jobs);
  // Equal probes are ranked by id: the last waits for four fifths of its interval.
  EXPECT_GE(outcomes.waitFor(4, 1).front().at - start, 400ms);
  EXPECT_LE(outcomes.waitFor(0, 1).front().at, outcomes.waitFor(4, 1).front().at);
}

TEST(ProberJobs, EqualJobsGoOnUndisturbed) {
  const TestServer server(Family::v4, answerWithLength(200));
  Outcomes outcomes;
  Prober prober(outcomes.sink());
  const auto kept = makeJob(1, httpProbe(server.endpoint()), 400ms);
  prober.setJobs({kept});
  const auto first = outcomes.waitFor(1, 1).front();
  for (std::uint64_t other = 2; outcomes.of(1).size() < 3; ++other) {
    prober.setJobs({makeJob(other, tcpProbe(server.endpoint()), 400ms), kept});
    outcomes.waitFor(other, 1);
  }
  EXPECT_GE(between(first, outcomes.waitFor(1, 3).back()), 800ms - 200ms);
}

TEST(ProberJobs, AChangedJobStartsAnew) {
  const TestServer healthy(Family::v4, answerWithLength(200));
  const TestServer draining(Family::v4, answerWithLength(404));
  Outcomes outcomes;
  Prober prober(outcomes.sink());
  prober.setJobs({makeJob(1, httpProbe(healthy.endpoint()), 1h)});
  EXPECT_EQ(outcomes.waitFor(1, 1).front().answer, Answer::pass);
  prober.setJobs({makeJob(1, httpProbe(draining.endpoint()), 1h)});
  EXPECT_EQ(outcomes.waitFor(1, 2).back().answer, Answer::drain);
}

TEST(ProberJobs, RemovalEndsAProbeUnderWayWithoutOutcome) {
  const TestServer server(Family::v4, silent);
  Outcomes outcomes;
  Prober prober(outcomes.sink());
  prober.setJobs({makeJob(1, httpProbe(server.endpoint(), 600ms), 600ms)});
  const auto started = Clock::now();
  while (server.accepted() == 0 && Clock::now() < started + patience) std::this_thread::yield();
  prober.setJobs({makeJob(2, tcpProbe(server.endpoint()), 50ms)});
  outcomes.waitFor(2, 1);  // the removal has happened
  const auto before = outcomes.of(1).size();
  while (Clock::now() < started + 900ms) {
    const auto seen = outcomes.of(2).size();
    outcomes.waitFor(2, seen + 1);
  }
  EXPECT_EQ(outcomes.of(1).size(), before);
  prober.setJobs({});
}

TEST(ProberJobs, OutcomesThatSayTheSameAreToldSoOftenOnly) {
  std::atomic<unsigned> status{200};
  const TestServer server(Family::v4, [&](Connection& c) { answerWithLength(status)(c); });
  Outcomes outcomes;
  Prober prober(outcomes.sink());
  auto job = makeJob(1, httpProbe(server.endpoint()), 10ms);
  job.quietAfter = 3;
  prober.setJobs({job});
  outcomes.waitFor(1, 3);
  const auto made = server.accepted();
  while (server.accepted() < made + 10) std::this_thread::yield();
  EXPECT_EQ(outcomes.of(1).size(), 3U);
  status = 503;
  const auto seen = outcomes.waitFor(1, 6);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(seen[i].answer, Answer::pass);
  for (int i = 3; i < 6; ++i) EXPECT_EQ(seen[i].answer, Answer::fail);
}

TEST(ProberJobs, AFastPaceBringsTheNextProbeForward) {
  const TestServer server(Family::v4, answerWithLength(503));
  Outcomes outcomes;
  Prober prober(outcomes.sink());
  auto job = makeJob(1, httpProbe(server.endpoint()), 1h);
  job.fastInterval = 100ms;
  prober.setPace(1, Pace::fast);  // unknown: ignored
  prober.setJobs({job});
  outcomes.waitFor(1, 1);
  prober.setPace(1, Pace::fast);
  const auto seen = outcomes.waitFor(1, 4);
  EXPECT_GE(between(seen[1], seen[3]), 200ms - 100ms);
}

TEST(ProberJobs, SettledPushesTheNextProbeBack) {
  const TestServer server(Family::v4, answerWithLength(200));
  Outcomes outcomes;
  Prober prober(outcomes.sink());
  auto job = makeJob(1, httpProbe(server.endpoint()), 1h);
  job.fastInterval = 20ms;
  prober.setJobs({job});
  outcomes.waitFor(1, 1);
  prober.setPace(1, Pace::fast);
  outcomes.waitFor(1, 3);
  prober.setPace(1, Pace::normal);
  const auto other = makeJob(2, tcpProbe(server.endpoint()), 20ms);
  prober.setJobs({job, other});
  outcomes.waitFor(2, 1);
  const auto before = outcomes.of(1).size();
  outcomes.waitFor(2, 11);
  EXPECT_LE(outcomes.of(1).size(), before + 1);  // one may have been under way
}

// The fast interval is shorter than the timeout: probes follow one another, never two at once.
TEST(ProberJobs, ASlowProbeIsFollowedByTheNext) {
  std::atomic<int> open{0};
  std::atomic<int> mostOpen{0};
  const TestServer server(Family::v4, [&](Connection& connection) {
    connection.readRequest();
    mostOpen = std::max<int>(mostOpen, ++open);
    connection.pause(150ms);
    --open;
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    connection.waitForClose();
  });
  Outcomes outcomes;
  Prober prober(outcomes.sink());
  prober.setJobs({makeJob(1, httpProbe(server.endpoint()), 50ms)});
  const auto seen = outcomes.waitFor(1, 4);
  EXPECT_GE(between(seen[0], seen[3]), 450ms);
  EXPECT_EQ(mostOpen, 1);
}

// Whoever stands still himself must not call others dead.
TEST(ProberJobs, AStandstillOfThisNodeIsALocalError) {
  const TestServer mute(Family::v4, silent);
  const TestServer healthy(Family::v4, answerWithLength(200));
  constexpr Millis timeout{200};
  Outcomes outcomes;
  std::atomic<bool> stood{false};
  Prober prober([&, sink = outcomes.sink()](const Outcome& outcome) {
    sink(outcome);
    if (outcome.target != 2 || mute.accepted() == 0 || stood) return;
    if (!outcomes.of(1).empty()) return;
    stood = true;
    std::this_thread::sleep_for(timeout + 1100ms);  // the standstill
  });
  auto job = makeJob(1, httpProbe(mute.endpoint(), timeout), timeout);
  prober.setJobs({job, makeJob(2, tcpProbe(healthy.endpoint()), 10ms)});
  const auto outcome = outcomes.waitFor(1, 1).front();
  ASSERT_TRUE(stood);
  EXPECT_EQ(outcome.answer, Answer::localError) << outcome.reason;
  EXPECT_NE(outcome.reason.find("stood still"), outcome.reason.npos);
}

TEST(ProberJobs, NoOutcomeAfterTheDestructor) {
  const TestServer server(Family::v4, answerWithLength(200));
  const TestServer mute(Family::v4, silent);
  for (int round = 0; round < 30; ++round) {
    std::atomic<bool> gone{false};
    std::atomic<unsigned> seen{0};
    std::atomic<unsigned> late{0};
    {
      Prober prober([&](const Outcome&) {
        ++seen;
        if (gone) ++late;
      });
      std::vector<Job> jobs;
      for (std::uint64_t id = 0; id < 20; ++id) {
        const auto& target = id % 2 == 0 ? server : mute;
        jobs.push_back(makeJob(id, httpProbe(target.endpoint()), 5ms));
      }
      prober.setJobs(jobs);
      const auto limit = Clock::now() + patience;
      while (seen < static_cast<unsigned>(round) && Clock::now() < limit) {
        std::this_thread::yield();
      }
    }
    gone = true;
    EXPECT_EQ(late, 0U);
  }
}

// Which thread gets a signal must not depend on luck: the prober's blocks them.
TEST(ProberThread, BlocksSignals) {
  std::string mask;
  Outcomes outcomes;
  Endpoint endpoint;
  const auto reserved = bindLoopback(Family::v4, std::nullopt, endpoint);
  Prober prober([&, sink = outcomes.sink()](const Outcome& outcome) {
    std::ifstream status("/proc/thread-self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.rfind("SigBlk:", 0) == 0) mask = line.substr(8);
    }
    sink(outcome);
  });
  prober.setJobs({makeJob(1, tcpProbe(endpoint), 1h)});
  outcomes.waitFor(1, 1);
  const auto blocked = std::stoull(mask, nullptr, 16);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGPIPE, SIGUSR1}) {
    EXPECT_TRUE(blocked >> (number - 1) & 1) << number;
  }
  sigset_t mine;
  pthread_sigmask(SIG_SETMASK, nullptr, &mine);
  EXPECT_EQ(sigismember(&mine, SIGTERM), 0);
}

// Quiet ones are counted, too: their outcome is told twice, and then no more.
TEST(ProberTallies, CountWhatIsNotTold) {
  const TestServer healthy(Family::v4, answerWithLength(200));
  const TestServer broken(Family::v4, answerWithLength(503));
  Outcomes outcomes;
  Prober prober(outcomes.sink());
  auto quiet = makeJob(1, httpProbe(healthy.endpoint()), 20ms);
  quiet.quietAfter = 2;
  prober.setJobs({quiet, makeJob(2, httpProbe(broken.endpoint()), 20ms)});
  outcomes.waitFor(2, 6);
  std::optional<Tallies> tallies;
  const auto passes = [&] { return tallies->jobs.at(1).made[endingOf(Answer::pass, {})]; };
  const auto start = Clock::now();
  do {
    tallies = prober.tallies(patience);
  } while (tallies && passes() < 5 && Clock::now() - start < patience);
  ASSERT_TRUE(tallies);
  EXPECT_GE(passes(), 5U);
  EXPECT_EQ(outcomes.of(1).size(), 2U);
  const auto& failing = tallies->jobs.at(2);
  EXPECT_GE(failing.made[endingOf(Answer::fail, FailureKind::badStatus)], 6U);
  EXPECT_EQ(failing.kind, FailureKind::badStatus);
  std::uint64_t probes = 0;
  for (const auto& [id, tally] : tallies->jobs) {
    EXPECT_GT(tally.at, start - patience);
    EXPECT_GT(tally.latency.sum, 0);
    for (const auto count : tally.latency.counts) probes += count;
    for (const auto count : tally.made) probes -= count;
  }
  EXPECT_EQ(probes, 0U);  // each is in both
}

TEST(ProberTallies, AreNotWaitedForForEver) {
  std::atomic<bool> inSink = false;
  std::atomic<bool> goOn = false;
  const TestServer server(Family::v4, answerWithLength(200));
  Prober prober([&](Outcome) {
    inSink = true;
    while (!goOn) std::this_thread::yield();
  });
  prober.setJobs({makeJob(1, httpProbe(server.endpoint()), 1h)});
  while (!inSink) std::this_thread::yield();
  EXPECT_FALSE(prober.tallies(10ms));
  goOn = true;
  EXPECT_TRUE(prober.tallies(patience));
}

}  // namespace
}  // namespace l4ward::healthcheck
