// ExaBGP as a service: the program `l4ward-exabgp --run-exabgp`, a service manager and a stand-in
// for ExaBGP, with ExabgpProcess on the other side.
#include "bgp/exabgp_service.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "bgp/exabgp_record.h"
#include "tests/bgp/exabgp_fixture.h"

namespace l4ward::bgp {
namespace {

// Python as the real one: it takes signals some time after its start. A shell could not, because
// the service ignores SIGUSR1 before.
constexpr const char* kScript = R"(#!/usr/bin/python3
import os, signal, sys, time
def config():
    with open(sys.argv[-1]) as file:
        return file.read()
if sys.argv[1] == '--validate':
    sys.exit('broken' in config() and 'line 1 is wrong')
log = open(os.path.join(os.path.dirname(sys.argv[1]), 'log'), 'a', buffering=1)
signal.signal(signal.SIGUSR1, lambda *_: log.write('reload %s\n' % config()))
log.write('started %s ack=%s\n' % (config(), os.environ['exabgp_api_ack']))
while True:
    signal.pause()
)";

// As systemd does with Restart=always; a process of its own, since who reaps is told how others
// end.
class Manager {
 public:
  explicit Manager(std::string folder) : folder_(std::move(folder)) {}
  ~Manager() { stop(); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  void start() {
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;; ::usleep(10000)) {
      const pid_t service = ::fork();
      if (service == 0) become();
      ::waitpid(service, nullptr, 0);
    }
  }
  void stop() {
    if (pid_ <= 0) return;
    ::setpgid(pid_, pid_);  // it may not have come so far
    ::kill(-pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }

 private:
  [[noreturn]] void become() const {
    ::setenv("PATH", (folder_ + ":/usr/bin:/bin").c_str(), 1);
    const int log = ::open((folder_ + "/journal").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(log, 2);
    const char* const program = L4WARD_BINARY_DIR "/l4ward-exabgp";
    ::execl(program, program, "--run-exabgp", folder_.c_str(), nullptr);
    ::_exit(127);
  }

  std::string folder_;
  pid_t pid_ = 0;
};

class ExabgpServiceTest : public testing::ExabgpFixture {
 protected:
  ExabgpServiceTest() : ExabgpFixture(kScript), manager_(folder_) { options_.service = true; }
  ~ExabgpServiceTest() override {
    manager_.stop();
    pid_ = 0;
  }

  void startBoth() {
    manager_.start();
    process_ = make();
    ASSERT_TRUE(process_->run("one"));
    ASSERT_TRUE(until([&] { return starts_ == 1 && logHas("started one"); }));
  }
  std::string journal() const { return readFile(folder_ + "/journal", 1 << 20).value_or(""); }

  Manager manager_;
};

TEST_F(ExabgpServiceTest, WaitsForItsConfigurationAndIsAdopted) {
  manager_.start();
  ASSERT_TRUE(until([&] { return journal().find("exabgp.waits") != std::string::npos; }));
  process_ = make();
  ASSERT_TRUE(process_->run("one"));
  ASSERT_TRUE(until([&] { return starts_ == 1; }));
  EXPECT_TRUE(adopted_);
  ASSERT_TRUE(until([&] { return logHas("started one ack=true"); }));
  EXPECT_FALSE(logHas("reload"));
}

TEST_F(ExabgpServiceTest, ConfigurationMayBeThereFirst) {
  process_ = make();
  ASSERT_TRUE(process_->run("one"));
  EXPECT_EQ(starts_, 0);
  manager_.start();
  ASSERT_TRUE(until([&] { return starts_ == 1; }));
}

TEST_F(ExabgpServiceTest, OutlivesTheAgentWithoutAReload) {
  startBoth();
  ASSERT_TRUE(process_->run("two"));
  ASSERT_TRUE(until([&] { return logHas("reload two"); }));
  ASSERT_TRUE(until(
      [&] { return readExabgpRecord(options_.recordPath)->config == configFingerprint("two"); }));
  process_.reset();
  process_ = make();
  ASSERT_TRUE(process_->run("two"));
  EXPECT_EQ(starts_, 2);
  loop_.restart();
  loop_.run_for(Millis(300));
  EXPECT_EQ(readFile(options_.logPath, 1000).value(), "started one ack=true\nreload two\n");
}

// The record is there before ExaBGP takes signals.
TEST_F(ExabgpServiceTest, ReloadDuringTheStartDoesNoHarm) {
  manager_.start();
  process_ = make();
  ASSERT_TRUE(process_->run("one"));
  ASSERT_TRUE(until([&] { return starts_ == 1; }));
  for (int i = 0; i < 20; ++i) ::kill(pid_, SIGUSR1);
  ASSERT_TRUE(until([&] { return logHas("started one"); }));
  EXPECT_TRUE(exits_.empty());
}

TEST_F(ExabgpServiceTest, TheNextOneIsAdopted) {
  startBoth();
  const int first = pid_;
  ASSERT_EQ(::kill(pid_, SIGKILL), 0);
  ASSERT_TRUE(until([&] { return starts_ == 2; }));
  EXPECT_NE(pid_, first);
  EXPECT_EQ(exits_.size(), 1U);
}

TEST_F(ExabgpServiceTest, OneThatHangsIsKilled) {
  startBoth();
  ASSERT_EQ(::kill(pid_, SIGSTOP), 0);
  process_->restart("it hangs");
  ASSERT_TRUE(until([&] { return starts_ == 2; }));
  EXPECT_EQ(exits_, std::vector<std::string>{"ended: it hangs"});
}

TEST_F(ExabgpServiceTest, RefusedConfigurationStaysAway) {
  startBoth();
  ASSERT_TRUE(process_->run("broken"));
  ASSERT_TRUE(until([&] { return !failures_.empty(); }));
  EXPECT_NE(failures_[0].find("line 1 is wrong"), std::string::npos);
  ASSERT_EQ(::kill(pid_, SIGKILL), 0);
  ASSERT_TRUE(until([&] { return starts_ == 2; }));
  EXPECT_EQ(readFile(options_.configPath, 100).value(), "one");
}

TEST_F(ExabgpServiceTest, NewConfigurationForOneThatIsBeingStarted) {
  startBoth();
  manager_.stop();
  ASSERT_TRUE(until([&] { return exits_.size() == 1; }));
  ASSERT_TRUE(process_->run("two"));
  manager_.start();
  ASSERT_TRUE(until([&] { return logHas("started two"); }));
}

TEST_F(ExabgpServiceTest, RetiredItWaitsForTheNextConfiguration) {
  startBoth();
  bool retired = false;
  process_->retire(Millis(5000), [&] { retired = true; });
  ASSERT_TRUE(until([&] { return retired; }));
  EXPECT_FALSE(std::filesystem::exists(options_.configPath)) << "it has passwords";
  ASSERT_TRUE(until([&] { return journal().find("exabgp.waits") != std::string::npos; }));
  EXPECT_EQ(starts_, 1);
  ASSERT_TRUE(process_->run("two"));
  ASSERT_TRUE(until([&] { return starts_ == 2 && logHas("started two"); }));
}

TEST_F(ExabgpServiceTest, TellsOnceThatNobodyStartsIt) {
  options_.servicePatience = Millis(50);
  process_ = make();
  ASSERT_TRUE(process_->run("one"));
  ASSERT_TRUE(until([&] { return awaited_ == 1; }));
  loop_.restart();
  loop_.run_for(Millis(300));
  EXPECT_EQ(awaited_, 1);
  manager_.start();
  ASSERT_TRUE(until([&] { return starts_ == 1; }));
}

TEST_F(ExabgpServiceTest, WaitsForTheEndOfAnother) {
  options_.service = false;
  auto owner = make();  // an agent that starts ExaBGP itself
  ASSERT_TRUE(owner->run("one"));
  ASSERT_TRUE(until([&] { return logHas("started"); }));
  const int first = pid_;
  manager_.start();
  ASSERT_TRUE(until([&] { return journal().find("the end of process") != std::string::npos; }));
  owner.reset();
  options_.service = true;
  process_ = make();
  ASSERT_TRUE(process_->run("one"));
  EXPECT_EQ(pid_, first);
  ASSERT_EQ(::kill(first, SIGKILL), 0);
  ASSERT_TRUE(until([&] { return starts_ == 3; }));
  EXPECT_NE(pid_, first);
}

std::string outputOf(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), pipe.get()));
  return text;
}

TEST_F(ExabgpServiceTest, SpeaksAsTheJournalLikesIt) {
  const std::string program = L4WARD_BINARY_DIR "/l4ward-exabgp --run-exabgp " + folder_ + "/none";
  const std::string file = folder_ + "/stderr";
  const std::string run = program + " 2>" + file + "; cat " + file;
  const std::string create = ": >" + file + "; ";
  EXPECT_EQ(outputOf(create + "export JOURNAL_STREAM=$(stat -c %d:%i " + file + "); " + run)
                .find("<3>error exabgp.not_started reason="),
            0U);
  EXPECT_EQ(outputOf(create + "export JOURNAL_STREAM=1:2; " + run).find("20"), 0U);
}

}  // namespace
}  // namespace l4ward::bgp
