#include "agent/override_keeper.h"

#include <gmock/gmock.h>

#include <memory>

#include "base/file.h"
#include "tests/agent/override_directory.h"

namespace l4ward::agent {
namespace {

using control::Action;
using control::Override;
using testing::HasSubstr;

class OverrideKeeperTest : public OverrideDirectory {
 protected:
  std::unique_ptr<OverrideKeeper> keeper() {
    auto made = std::make_unique<OverrideKeeper>(
        loop, OverrideKeeper::Paths{path("state"), path("files")}, [this] { ++changes; }, Millis(5),
        [this] { return now; });
    made->load();
    return made;
  }
  static control::Subject subject(std::string_view text) {
    return control::Subject::parse(text).value();
  }
  static Override drain(std::string_view text, double until = 0) {
    return {subject(text), Action::drain, "anna", "kernel update", 0, until, false};
  }
  // Runs the loop until there was another change; false if none comes.
  bool awaitChange() {
    const auto before = changes;
    const auto deadline = Clock::now() + std::chrono::seconds(10);
    while (changes == before && Clock::now() < deadline) loop.run_one_until(deadline);
    return changes != before;
  }
  // The keeper has looked at files and time a few times.
  void runAFewPeriods() { loop.run_for(Millis(50)); }

  asio::io_context loop{1};
  double now = 1000;
  int changes = 0;
};

TEST_F(OverrideKeeperTest, WhatWasSaidOutlivesTheAgent) {
  auto first = keeper();
  ASSERT_TRUE(first->set(drain("server lb7-1", 5000)));
  ASSERT_TRUE(first->set(drain("node")));
  EXPECT_EQ(changes, 2);
  EXPECT_EQ(first->current().find(subject("node"))->since, 1000);
  const auto said = first->current();
  now = 1500;
  const auto second = keeper();  // as after kill -9: the first one's destructor has no say
  EXPECT_EQ(second->current(), said);
  EXPECT_EQ(changes, 2);
  EXPECT_TRUE(second->clear(subject("node")));
  EXPECT_EQ(keeper()->current().all().size(), 1U);
}

TEST_F(OverrideKeeperTest, ExpiresOnTime) {
  const auto kept = keeper();
  ASSERT_TRUE(kept->set(drain("server lb7-1", 1100)));
  ASSERT_TRUE(kept->set(drain("server lb7-2", 1200)));
  changes = 0;
  now = 1099.9;
  runAFewPeriods();
  EXPECT_EQ(changes, 0);
  now = 1100;  // a jump of the clock, for all that the timer knows
  ASSERT_TRUE(awaitChange());
  EXPECT_EQ(kept->current().find(subject("server lb7-1")), nullptr);
  EXPECT_NE(kept->current().find(subject("server lb7-2")), nullptr);
  EXPECT_EQ(keeper()->current(), kept->current());
}

TEST_F(OverrideKeeperTest, WhatExpiredInTheMeantimeIsGone) {
  ASSERT_TRUE(keeper()->set(drain("node", 1100)));
  now = 2000;
  EXPECT_TRUE(keeper()->current().all().empty());
}

TEST_F(OverrideKeeperTest, FollowsFiles) {
  const auto kept = keeper();
  write("files/disable:server:edge:lb7-1", "by a tool\n");
  ASSERT_TRUE(awaitChange());
  const auto* said = kept->current().ofServer("edge", "lb7-1");
  ASSERT_NE(said, nullptr);
  EXPECT_EQ(said->reason, "by a tool");
  const auto refused = kept->clear(subject("server edge/lb7-1"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr(path("files/disable:server:edge:lb7-1")));
  runAFewPeriods();
  EXPECT_EQ(changes, 1);
  remove("files/disable:server:edge:lb7-1");
  ASSERT_TRUE(awaitChange());
  EXPECT_TRUE(kept->current().all().empty());
}

TEST_F(OverrideKeeperTest, FilesAreInForceFromTheStartAndNotOnRecord) {
  write("files/drain:node");
  const auto kept = keeper();
  EXPECT_NE(kept->current().find({}), nullptr);
  EXPECT_EQ(changes, 0);
  ASSERT_TRUE(kept->set(drain("service web")));
  kept->setDirectory("");
  EXPECT_EQ(changes, 2);
  EXPECT_EQ(kept->current().find({}), nullptr);
  remove("files");
  EXPECT_EQ(keeper()->current().all().size(), 1U);
}

TEST_F(OverrideKeeperTest, ADamagedRecordIsSetAsideLoudly) {
  write("state/overrides.json", "{\"version\":1,\"overrides\":[");
  testing::internal::CaptureStderr();
  const auto kept = keeper();
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("error override.record_damaged"));
  EXPECT_TRUE(kept->current().all().empty());
  EXPECT_THAT(readFile(path("state/overrides.json.bad"), 100).value(), HasSubstr("version"));
  ASSERT_TRUE(kept->set(drain("node")));
  EXPECT_EQ(keeper()->current(), kept->current());
}

TEST_F(OverrideKeeperTest, WhatCannotBeSavedIsInForceAndTriedAgain) {
  const auto kept = keeper();
  remove("state");
  write("state", "in the way");
  ASSERT_TRUE(kept->set(drain("node")));
  ASSERT_TRUE(kept->unsaved());
  EXPECT_NE(kept->current().find({}), nullptr);
  remove("state");
  std::filesystem::create_directories(path("state"));
  const auto deadline = Clock::now() + std::chrono::seconds(10);
  while (kept->unsaved() && Clock::now() < deadline) loop.run_one_until(deadline);
  EXPECT_EQ(keeper()->current(), kept->current());
}

TEST_F(OverrideKeeperTest, RefusesWhatItCannotTake) {
  const auto kept = keeper();
  auto bad = drain("node");
  bad.reason = "two\nlines";
  EXPECT_FALSE(kept->set(bad));
  EXPECT_THAT(kept->clear(subject("node")).error().message, HasSubstr("nobody"));
  EXPECT_EQ(changes, 0);
}

TEST_F(OverrideKeeperTest, TheLogSaysWhatBeginsAndWhatEnds) {
  testing::internal::CaptureStderr();
  const auto kept = keeper();
  ASSERT_TRUE(kept->set(drain("server lb7-1", 1700000000)));
  ASSERT_TRUE(kept->clear(subject("server lb7-1")));
  ASSERT_TRUE(kept->set(drain("node", 1001)));
  now = 1001;
  ASSERT_TRUE(awaitChange());
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("override.set subject=\"server lb7-1\" action=drain by=anna "
                             "reason=\"kernel update\" until=2023-11-14T22:13:20Z"));
  EXPECT_THAT(log, HasSubstr("override.cleared subject=\"server lb7-1\""));
  EXPECT_THAT(log, HasSubstr("override.expired subject=node"));
}

}  // namespace
}  // namespace l4ward::agent
