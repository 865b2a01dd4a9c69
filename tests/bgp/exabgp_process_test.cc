// ExabgpProcess with shell scripts in the place of ExaBGP; the real one has its own test.
#include "bgp/exabgp_process.h"

#include <csignal>
#include <filesystem>
#include <fstream>

#include "bgp/process_id.h"
#include "tests/bgp/exabgp_fixture.h"

namespace l4ward::bgp {
namespace {

constexpr const char* kScript = R"(#!/bin/sh
if [ "$1" = --validate ]; then
  if grep -q broken "$2"; then echo "line 1 is wrong"; exit 1; fi
  exit 0
fi
if [ "$1" = --version ]; then echo "ExaBGP : 4.2.99-x"; exit 0; fi
trap 'echo reload; cat "$1"' USR1
trap 'exit 0' TERM
echo started
while true; do sleep 0.05; done
)";

// As 5 does: words instead of options.
constexpr const char* kScript5 = R"(#!/bin/sh
case "$1" in
  --*) echo "usage: exabgp server"; exit 2;;
  version) echo "ExaBGP : 5.0.13"; exit 0;;
  validate) echo "$exabgp_log_level"; exit $(grep -c broken "$2");;
esac
trap 'echo reload; cat "$1"' USR1
echo started
while true; do sleep 0.05; done
)";

class ExabgpProcessTest : public testing::ExabgpFixture {
 protected:
  ExabgpProcessTest() : ExabgpFixture(kScript) {}
};

TEST_F(ExabgpProcessTest, ProbesTheVersion) {
  EXPECT_EQ(ExabgpProcess::probe(options_.program).value(), "4.2.99-x");
  EXPECT_FALSE(ExabgpProcess::probe(folder_ + "/none"));
  EXPECT_FALSE(parseExabgpVersion("ExaBGP : 6.0.0\n"));
  EXPECT_FALSE(parseExabgpVersion("something else"));
  EXPECT_TRUE(parseExabgpVersion("ExaBGP : 5.0.13\nPython : 3"));
}

TEST_F(ExabgpProcessTest, KnowsHowToAskVersion5) {
  std::ofstream(options_.program) << kScript5;
  EXPECT_EQ(ExabgpProcess::probe(options_.program).value(), "5.0.13");
  start();
  ASSERT_TRUE(process_->run("two"));
  ASSERT_TRUE(until([&] { return logHas("reload\ntwo"); }));
  ASSERT_TRUE(process_->run("broken"));
  ASSERT_TRUE(until([&] { return !failures_.empty(); }));
  EXPECT_NE(failures_[0].find("ERROR"), std::string::npos) << "a level that it knows";
}

TEST_F(ExabgpProcessTest, StartsAgainAfterADeath) {
  start();
  ASSERT_EQ(::kill(pid_, SIGKILL), 0);
  ASSERT_TRUE(until([&] { return starts_ == 2; }));
  EXPECT_EQ(exits_, std::vector<std::string>{"signal 9"});
}

TEST_F(ExabgpProcessTest, RestartKillsAlsoWhatHangsAndStartsAtOnce) {
  start();
  ASSERT_EQ(::kill(pid_, SIGSTOP), 0);
  const TimePoint begin = Clock::now();
  process_->restart("it hangs");
  ASSERT_TRUE(until([&] { return starts_ == 2; }));
  EXPECT_LT(Clock::now() - begin, Millis(90)) << "the first wait of the backoff is 100 ms";
  EXPECT_EQ(exits_, std::vector<std::string>{"signal 9: it hangs"});
  process_->restart("again");
  ASSERT_TRUE(until([&] { return exits_.size() == 2; }));
  const TimePoint killed = Clock::now();
  ASSERT_TRUE(until([&] { return starts_ == 3; }));
  EXPECT_GE(Clock::now() - killed, Millis(90));
}

TEST_F(ExabgpProcessTest, NewPassiveNeighborRestarts) {
  const std::string old = "x\nneighbor 192.0.2.1 {\n    hold-time 9;\n}\n";
  process_ = make();
  ASSERT_TRUE(process_->run(old));
  ASSERT_TRUE(until([&] { return logHas("started"); }));
  ASSERT_TRUE(process_->run(old + "neighbor 192.0.2.2 {\n    listen 179;\n}\n"));
  ASSERT_TRUE(until([&] { return starts_ == 2; }));
  EXPECT_FALSE(logHas("reload"));
  process_ = make();  // another agent
  ASSERT_TRUE(process_->run(old + "neighbor 192.0.2.2 {\n    listen 179;\n}\n"));
  EXPECT_TRUE(adopted_);
}

TEST_F(ExabgpProcessTest, OutlivesTheAgentAndIsAdopted) {
  start();
  const int pid = pid_;
  process_ = make();  // another agent
  ASSERT_TRUE(process_->run("one"));
  EXPECT_EQ(pid_, pid);
  EXPECT_TRUE(adopted_);
  EXPECT_FALSE(logHas("reload"));
}

TEST_F(ExabgpProcessTest, AdoptsOnlyTheSameProcess) {
  std::ofstream(options_.recordPath)
      << R"({"pid":)" << ::getpid() << R"(,"start_time":1,"config":"x"})";
  start();
  EXPECT_FALSE(adopted_);
}

TEST_F(ExabgpProcessTest, ReloadsAnotherConfiguration) {
  start();
  ASSERT_TRUE(process_->run("two"));
  ASSERT_TRUE(until([&] { return logHas("reload\ntwo"); }));
  EXPECT_EQ(starts_, 1);
  EXPECT_TRUE(failures_.empty());
}

TEST_F(ExabgpProcessTest, LastOfManyConfigurationsWins) {
  start();
  ASSERT_TRUE(process_->run("two"));
  ASSERT_TRUE(process_->run("broken"));
  ASSERT_TRUE(process_->run("three"));
  ASSERT_TRUE(until([&] { return logHas("reload\nthree"); }));
  EXPECT_FALSE(logHas("two"));
}

TEST_F(ExabgpProcessTest, RefusedConfigurationChangesNothing) {
  start();
  ASSERT_TRUE(process_->run("broken"));
  ASSERT_TRUE(until([&] { return !failures_.empty(); }));
  EXPECT_NE(failures_[0].find("line 1 is wrong"), std::string::npos);
  ASSERT_EQ(::kill(pid_, SIGKILL), 0);
  ASSERT_TRUE(until([&] { return starts_ == 2; }));
  EXPECT_EQ(readFile(options_.configPath, 100).value(), "one") << "a restart takes the old one";
  ASSERT_TRUE(process_->run("one"));
  loop_.restart();
  loop_.run_for(Millis(500));
  EXPECT_FALSE(logHas("reload"));
}

TEST_F(ExabgpProcessTest, RetiredLeavesNothing) {
  start();
  process_ = make();  // another agent, whose site file has no BGP
  bool retired = false;
  process_->retire(Millis(5000), [&] { retired = true; });
  ASSERT_TRUE(until([&] { return retired; }));
  EXPECT_FALSE(processId(pid_));
  EXPECT_FALSE(std::filesystem::exists(options_.configPath)) << "it has passwords";
  EXPECT_FALSE(std::filesystem::exists(options_.recordPath));
  ASSERT_TRUE(process_->run("two"));
  EXPECT_EQ(starts_, 3);
}

TEST_F(ExabgpProcessTest, RunWhileItEndsStartsAnother) {
  start();
  process_->retire(Millis(5000), nullptr);
  ASSERT_TRUE(process_->run("two"));
  ASSERT_TRUE(until([&] { return starts_ == 2; }));
  EXPECT_EQ(readFile(options_.configPath, 100).value(), "two");
}

TEST_F(ExabgpProcessTest, MissingProgramIsAnErrorThatIsRetried) {
  std::filesystem::rename(options_.program, options_.program + ".away");
  process_ = make();
  EXPECT_FALSE(process_->run("one"));
  std::filesystem::rename(options_.program + ".away", options_.program);
  EXPECT_TRUE(until([&] { return starts_ == 1; }));
}

}  // namespace
}  // namespace l4ward::bgp
