// ExabgpProcess with shell scripts in the place of ExaBGP; the real one has its own test.
#include "bgp/exabgp_process.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/file.h"
#include "bgp/process_id.h"

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

class ExabgpProcessTest : public ::testing::Test {
 protected:
  ExabgpProcessTest() {
    std::string name = "/tmp/l4ward-process-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    options_ = {folder_ + "/exabgp", folder_ + "/conf", folder_ + "/pid", folder_ + "/log", ""};
    std::ofstream(options_.program) << kScript;
    ::chmod(options_.program.c_str(), 0755);
  }
  ~ExabgpProcessTest() override {
    bool stopped = false;
    if (!process_) process_ = make();
    if (pid_ > 0) {
      (void)process_->run("");
      process_->stop(Millis(2000), [&] { stopped = true; });
      until([&] { return stopped; });
    }
    std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<ExabgpProcess> make() {
    return std::make_unique<ExabgpProcess>(
        loop_, options_,
        ExabgpProcess::Events{[this](int pid, bool adopted) {
                                pid_ = pid;
                                adopted_ = adopted;
                                ++starts_;
                              },
                              [this](const std::string& how) { exits_.push_back(how); },
                              [this](const Error& error) { failures_.push_back(error.message); }});
  }
  bool until(const std::function<bool()>& condition) {
    const TimePoint end = Clock::now() + Millis(10000);
    while (!condition()) {
      if (Clock::now() > end) return false;
      loop_.restart();
      loop_.run_for(Millis(5));
    }
    return true;
  }
  bool logHas(const std::string& text) const {
    return readFile(options_.logPath, 1 << 20).value_or("").find(text) != std::string::npos;
  }
  void start() {
    process_ = make();
    ASSERT_TRUE(process_->run("one"));
    ASSERT_TRUE(until([&] { return logHas("started"); }));
  }

  asio::io_context loop_{1};
  std::string folder_;
  ExabgpProcess::Options options_;
  std::unique_ptr<ExabgpProcess> process_;
  int pid_ = 0;
  bool adopted_ = false;
  int starts_ = 0;
  std::vector<std::string> exits_, failures_;
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

TEST_F(ExabgpProcessTest, MissingProgramIsAnErrorThatIsRetried) {
  std::filesystem::rename(options_.program, options_.program + ".away");
  process_ = make();
  EXPECT_FALSE(process_->run("one"));
  std::filesystem::rename(options_.program + ".away", options_.program);
  EXPECT_TRUE(until([&] { return starts_ == 1; }));
}

}  // namespace
}  // namespace l4ward::bgp
