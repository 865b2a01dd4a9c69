#include "control/ctl/wait.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "control/ctl/estimate.h"
#include "control/status_json.h"
#include "tests/control/ctl_samples.h"

namespace l4ward::ctl {
namespace {

using namespace testing;  // NOLINT: the samples
using ::testing::HasSubstr;
using ::testing::Not;

const Subject kServer{Subject::Kind::server, "lb7-1", "edge"};

TEST(SampleOf, CountsWhatTheSubjectHas) {
  auto node = wellNode();
  node.services[0].destinations[1].pool = "other";
  node.services[0].destinations[1].server = "lb7-1";
  EXPECT_EQ(sampleOf(node, kServer)->active, 4U * 120);
  EXPECT_EQ(sampleOf(node, kServer)->closing, 4U * 7);
  EXPECT_EQ(sampleOf(node, {Subject::Kind::server, "lb7-1", ""})->active, 5U * 120);
  EXPECT_EQ(sampleOf(node, {Subject::Kind::vip, "198.51.100.1", ""})->active, 6U * 120);
  EXPECT_EQ(sampleOf(node, {Subject::Kind::service, "web", ""})->active, 12U * 120);
  EXPECT_EQ(sampleOf(node, {Subject::Kind::service, "mail", ""})->active, 0U);
  EXPECT_EQ(sampleOf(node, {})->active, 12U * 120);
  node.countersAt = 0;
  EXPECT_FALSE(sampleOf(node, kServer));
}

TEST(SampleOf, AServerWithWeightGetsNewConnections) {
  auto node = wellNode();
  EXPECT_FALSE(sampleOf(node, kServer)->settled);
  for (auto& service : node.services) service.destinations[0].weight = 0;
  EXPECT_TRUE(sampleOf(node, kServer)->settled);
  EXPECT_TRUE(sampleOf(wellNode(), {})->settled);
}

std::vector<Sample> decaying(double start, double halfLife, int seconds) {
  std::vector<Sample> samples;
  for (int i = 0; i < seconds; ++i) {
    const auto left = start * std::pow(0.5, i / halfLife);
    samples.push_back({1000.0 + i, static_cast<std::uint64_t>(left), 0, true});
  }
  return samples;
}

TEST(SecondsLeft, OfConnectionsThatEndByChance) {
  // From 1000 connections, halved every 20 s, 707 are left after 10 s; their last one ends after
  // (ln 707 + 0.577) half-lives / ln 2.
  const auto samples = decaying(1000, 20, 11);
  const double expected = (std::log(707) + 0.5772) * 20 / std::log(2);
  EXPECT_NEAR(secondsLeft(samples).value(), expected, expected / 50);
}

TEST(SecondsLeft, NothingWhereNothingCanBeSaid) {
  EXPECT_FALSE(secondsLeft({}));
  EXPECT_FALSE(secondsLeft(decaying(1000, 20, 2)));
  EXPECT_FALSE(secondsLeft({{1, 5, 0, true}, {2, 5, 0, true}, {3, 5, 0, true}})) << "no decay";
  EXPECT_FALSE(secondsLeft({{1, 5, 0, true}, {2, 6, 0, true}, {3, 7, 0, true}})) << "it grows";
  EXPECT_FALSE(secondsLeft({{1, 5, 0, true}, {1, 4, 0, true}, {1, 3, 0, true}})) << "no time";
  EXPECT_FALSE(secondsLeft({{1, 5, 0, true}, {2, 4, 0, true}, {3, 0, 0, true}})) << "empty";
  EXPECT_FALSE(secondsLeft({{1, 1'000'000, 0, true}, {2, 999'999, 0, true}, {3, 999'999, 0, true}}))
      << "weeks";
}

// An agent whose server loses half of its connections each second, and a clock that only runs while
// somebody waits.
class WaitTest : public ::testing::Test {
 protected:
  control::Reply answer() {
    ++asked_;
    if (silent_(asked_)) return tl::unexpected(control::Refusal{"timeout", "no answer", ""});
    auto node = wellNode();
    node.countersAt = kNow + seconds_;
    for (auto& service : node.services) {
      service.destinations[0].weight = settlesAfter_ <= seconds_ ? 0 : 1;
      service.destinations[0].inactiveConnections = 0;
      service.destinations[0].activeConnections =
          stuck_ ? 3 : static_cast<std::uint64_t>(100 * std::pow(0.5, seconds_));
    }
    return nlohmann::json(node);
  }
  tl::expected<Waited, control::Refusal> wait() {
    const WaitWorld world{[this](const control::Request&) { return answer(); },
                          [this] {
                            return TimePoint(std::chrono::duration_cast<Clock::duration>(
                                std::chrono::duration<double>(seconds_)));
                          },
                          [this](Millis time) {
                            seconds_ += static_cast<double>(time.count()) / 1000;
                            return seconds_ < interruptedAt_;
                          },
                          out_, live_};
    return waitUntilEmpty(what_, world);
  }

  WaitFor what_{kServer, control::Action::drain, kNow, Millis{600'000}};
  std::function<bool(int)> silent_ = [](int) { return false; };
  int asked_ = 0;
  double seconds_ = 0;
  double settlesAfter_ = 0;
  double interruptedAt_ = 1e9;
  bool stuck_ = false;
  bool live_ = false;
  std::ostringstream out_;
};

TEST_F(WaitTest, EndsWhenItIsEmpty) {
  const auto waited = wait();
  ASSERT_TRUE(waited);
  EXPECT_EQ(waited->end, WaitEnd::empty);
  EXPECT_EQ(waited->left, 0U);
  EXPECT_EQ(waited->took, Millis{7000});
  EXPECT_THAT(out_.str(), HasSubstr("400 connections left"));
  EXPECT_THAT(waitText(what_, *waited), HasSubstr("server edge/lb7-1 is empty after 7s"));
}

TEST_F(WaitTest, EndsAtItsLimitAndSaysThatTheDrainStays) {
  stuck_ = true;
  what_.limit = Millis{90'500};
  const auto waited = wait();
  ASSERT_TRUE(waited);
  EXPECT_EQ(waited->end, WaitEnd::limit);
  EXPECT_EQ(waited->took, what_.limit);
  EXPECT_THAT(waitText(what_, *waited), HasSubstr("12 connections left"));
  EXPECT_THAT(waitText(what_, *waited), HasSubstr("stays draining"));
  EXPECT_THAT(waitText(what_, *waited), HasSubstr("l4wardctl enable server edge/lb7-1"));
  const auto text = out_.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 10) << "a log gets a line each 10 s";
}

TEST_F(WaitTest, InterruptedLeavesTheDrainInPlace) {
  interruptedAt_ = 2;
  const auto waited = wait();
  ASSERT_TRUE(waited);
  EXPECT_EQ(waited->end, WaitEnd::interrupted);
  EXPECT_THAT(waitText(what_, *waited), HasSubstr("stays draining"));
}

TEST_F(WaitTest, EmptyBeforeTheKernelKnowsOfTheDrainDoesNotCount) {
  seconds_ = 10;  // nothing is left
  settlesAfter_ = 15;
  const auto waited = wait();
  ASSERT_TRUE(waited);
  EXPECT_EQ(waited->took, Millis{5000});
  EXPECT_THAT(out_.str(), HasSubstr("new ones still come"));
}

TEST_F(WaitTest, CountersFromBeforeTheDrainDoNotCount) {
  seconds_ = 10;
  what_.since = kNow + 13;
  const auto waited = wait();
  ASSERT_TRUE(waited);
  EXPECT_EQ(waited->took, Millis{3000});
}

TEST_F(WaitTest, AnAgentThatRestartsIsWaitedFor) {
  silent_ = [](int asked) { return asked > 2 && asked < 20; };
  EXPECT_EQ(wait()->end, WaitEnd::empty);
  EXPECT_THAT(out_.str(), Not(HasSubstr("no answer")));
}

TEST_F(WaitTest, AnAgentThatIsGoneIsNot) {
  silent_ = [](int) { return true; };
  const auto waited = wait();
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, "timeout");
}

TEST_F(WaitTest, OnATerminalOneLineChangesAndGoes) {
  live_ = true;
  ASSERT_TRUE(wait());
  EXPECT_EQ(out_.str().find('\n'), std::string::npos);
  EXPECT_TRUE(out_.str().ends_with("\r\033[K"));
  EXPECT_THAT(out_.str(), HasSubstr("about "));
}

}  // namespace
}  // namespace l4ward::ctl
