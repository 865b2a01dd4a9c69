#include "healthcheck/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace l4ward::healthcheck {
namespace {

using namespace std::chrono_literals;

const TimePoint t0{1000s};

Job makeJob(std::uint64_t id, const std::string& target, Millis interval = 2000ms) {
  Job job;
  job.id = id;
  job.probe.target = Endpoint::parse(target).value();
  job.probe.how = HttpProbe{};
  job.interval = interval;
  return job;
}

std::vector<Job> makeJobs(unsigned count, Millis interval = 2000ms) {
  std::vector<Job> jobs;
  for (unsigned i = 0; i < count; ++i) {
    jobs.push_back(makeJob(i, "192.0.2." + std::to_string(i + 1) + ":80", interval));
  }
  return jobs;
}

TEST(Identity, DependsOnWhatIsProbedOnly) {
  const auto job = makeJob(1, "192.0.2.1:80");
  auto same = makeJob(2, "192.0.2.1:80", 5000ms);
  EXPECT_EQ(identity(job.probe), identity(same.probe));

  std::set<std::uint64_t> hashes{identity(job.probe)};
  hashes.insert(identity(makeJob(1, "192.0.2.1:81").probe));
  hashes.insert(identity(makeJob(1, "192.0.2.2:80").probe));
  hashes.insert(identity(makeJob(1, "[2001:db8::1]:80").probe));
  auto probe = job.probe;
  probe.how = HttpProbe{.path = "/a", .host = "b"};
  hashes.insert(identity(probe));
  probe.how = HttpProbe{.path = "a", .host = "/b"};
  hashes.insert(identity(probe));
  probe.how = UdpProbe{};
  hashes.insert(identity(probe));
  probe.how = TcpProbe{.send = "a"};
  hashes.insert(identity(probe));
  probe.how = TcpProbe{};
  probe.tls.emplace();
  hashes.insert(identity(probe));
  EXPECT_EQ(hashes.size(), 9U);
}

// Nodes of one fleet run different builds during an upgrade.
TEST(Identity, IsTheSameEverywhere) {
  // Computed by another program from the text 12:192.0.2.1:801:04:10001:00:1:01:01:0.
  auto probe = makeJob(1, "192.0.2.1:80").probe;
  probe.how = TcpProbe{};
  EXPECT_EQ(identity(probe), 0x94a647967685249eULL);
}

TEST(FirstDelays, OneJobStartsAtOnce) {
  EXPECT_EQ(firstDelays({}).size(), 0U);
  EXPECT_EQ(firstDelays(makeJobs(1)), std::vector{Clock::duration(0)});
}

TEST(FirstDelays, AreEvenOverASecond) {
  auto delays = firstDelays(makeJobs(100));
  std::sort(delays.begin(), delays.end());
  for (unsigned i = 0; i < delays.size(); ++i) EXPECT_EQ(delays[i], i * 10ms);
}

TEST(FirstDelays, AShortIntervalIsTheWindow) {
  auto delays = firstDelays(makeJobs(10, 200ms));
  EXPECT_EQ(*std::max_element(delays.begin(), delays.end()), 180ms);
}

TEST(FirstDelays, FollowTheTargetAndNotTheIdOrOrder) {
  auto jobs = makeJobs(50);
  const auto delays = firstDelays(jobs);
  EXPECT_FALSE(std::is_sorted(delays.begin(), delays.end()));

  std::reverse(jobs.begin(), jobs.end());
  for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].id = 1000 + i;
  auto reversed = firstDelays(jobs);
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_EQ(reversed, delays);
}

TEST(FirstDelays, EqualProbesStillDiffer) {
  const auto delays = firstDelays({makeJob(1, "192.0.2.1:80"), makeJob(2, "192.0.2.1:80")});
  EXPECT_EQ(delays, (std::vector<Clock::duration>{0ms, 500ms}));
}

TEST(CurrentInterval, IsThatOfThePace) {
  auto job = makeJob(1, "192.0.2.1:80");
  job.downInterval = 10s;
  EXPECT_EQ(currentInterval(job, Pace::normal), 2000ms);
  EXPECT_EQ(currentInterval(job, Pace::fast), 500ms);
  EXPECT_EQ(currentInterval(job, Pace::down), 10s);
  job.interval = 200ms;
  EXPECT_EQ(currentInterval(job, Pace::fast), 200ms);
}

TEST(Jittered, IsASixteenthLongerOrShorterAtMostAndTheIntervalOnAverage) {
  Clock::duration sum{0};
  std::set<Clock::duration> seen;
  for (std::uint32_t random = 0; random < 1024; ++random) {
    const auto interval = jittered(1600ms, random);
    ASSERT_GE(interval, 1500ms);
    ASSERT_LE(interval, 1700ms);
    sum += interval;
    seen.insert(interval);
  }
  EXPECT_GT(seen.size(), 1000U);
  EXPECT_LT(std::chrono::abs(sum / 1024 - 1600ms), 1ms);
}

TEST(NextStart, LatenessDoesNotAddUp) {
  TimePoint planned = t0;
  for (int turn = 1; turn <= 1000; ++turn) {
    planned = nextStart(planned, 2s, 1s, planned + 37ms, 16ms);  // started and ended late each time
    ASSERT_EQ(planned, t0 + turn * 2s);
  }
}

TEST(NextStart, FallsOnMomentsThatAllJobsShare) {
  struct Row {
    Clock::duration interval, step;
  };
  for (const auto& [interval, step] :
       {Row{1h, 16ms}, {2s, 16ms}, {512ms, 16ms}, {511ms, 8ms}, {100ms, 2ms}, {10ms, 1ms}}) {
    for (auto planned = t0; planned < t0 + step; planned += step / 16) {
      const auto start = nextStart(planned, interval, 1s, planned, 16ms);
      EXPECT_EQ(start.time_since_epoch() % step, 0s);
      EXPECT_LE(std::chrono::abs(start - (planned + interval)), step / 2);
    }
  }
}

TEST(NextStart, TakesNoWiderStepThanItIsGiven) {
  EXPECT_EQ(nextStart(t0 + 3ms, 2s, 1s, t0, 2ms), t0 + 2s + 4ms);
}

TEST(StartStep, HasAboutTwoProbesStartTogether) {
  struct Row {
    std::size_t jobs;
    Millis interval, step;
  };
  for (const auto& [count, interval, step] : {Row{0, 1s, 16ms},
                                              {1, 1s, 16ms},
                                              {100, 1s, 16ms},
                                              {200, 1s, 8ms},
                                              {1000, 1s, 2ms},
                                              {1000, 10s, 16ms},
                                              {10000, 1s, 1ms},
                                              {10, 0ms, 1ms}}) {
    Job job;
    job.interval = interval;
    EXPECT_EQ(startStep(std::vector<Job>(count, job)), step) << count;
  }
}

TEST(NextStart, AProbeLongerThanTheIntervalIsFollowedAtOnce) {
  EXPECT_EQ(nextStart(t0, 512ms, 1s, t0 + 1001ms, 16ms), t0 + 1001ms);
  EXPECT_EQ(nextStart(t0, 512ms, 1s, t0 + 512ms, 16ms), t0 + 512ms);
}

TEST(NextStart, AStandstillIsFollowedByTheOldRhythm) {
  EXPECT_EQ(nextStart(t0, 2s, 1s, t0 + 61s, 16ms), t0 + 62s);
  EXPECT_EQ(nextStart(t0, 2s, 1s, t0 + 62s, 16ms), t0 + 62s);
  EXPECT_EQ(nextStart(t0, 2s, 1s, t0 + 62s + 1ns, 16ms), t0 + 64s);
}

TEST(NextStart, NoIntervalDoesNotDivideByZero) {
  EXPECT_EQ(nextStart(t0, 0ms, 0ms, t0 + 5ms, 16ms), t0 + 5ms);
}

TEST(StoodStill, IsMoreThanBusy) {
  EXPECT_FALSE(stoodStill(0s, 100ms));
  EXPECT_FALSE(stoodStill(1s, 100ms));
  EXPECT_TRUE(stoodStill(1001ms, 100ms));
  EXPECT_FALSE(stoodStill(2s, 2s));
  EXPECT_TRUE(stoodStill(2001ms, 2s));
}

TEST(StartOrSkip, StartsWhenALittleLate) {
  EXPECT_EQ(startOrSkip(t0, 2s, t0), t0);
  EXPECT_EQ(startOrSkip(t0, 2s, t0 + 1999ms), t0);
}

// 100 jobs behind a standstill of a minute: without skipping they would all start in one moment.
TEST(StartOrSkip, AStandstillDoesNotMakeABurst) {
  const TimePoint now = t0 + 60s;
  std::set<TimePoint> starts;
  for (int i = 0; i < 100; ++i) starts.insert(startOrSkip(t0 + i * 20ms, 2s, now));
  EXPECT_EQ(starts.size(), 100U);
  EXPECT_EQ(*starts.begin(), now);
  EXPECT_EQ(*starts.rbegin(), now + 1980ms);
}

}  // namespace
}  // namespace l4ward::healthcheck
