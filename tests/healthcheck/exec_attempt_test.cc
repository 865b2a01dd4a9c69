#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <iterator>

#include "base/unique_fd.h"
#include "tests/healthcheck/attempts_fixture.h"

namespace l4ward::healthcheck {
namespace {

bool isRunning(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return (file >> number >> name >> state) && state != "Z";
}

bool haveChildren() {
  return ::waitpid(-1, nullptr, WNOHANG) >= 0;
}

std::size_t openDescriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

Judgement drained(std::string reason) {
  return {Answer::drain, FailureKind::none, std::move(reason), {}, {}};
}

class ExecAttempts : public AttemptsFixture {
 protected:
  ~ExecAttempts() override { EXPECT_FALSE(haveChildren()) << "a process is left"; }

  std::unique_ptr<Attempts> attemptsFor(const std::vector<std::string>& command,
                                        const std::string& user = "") {
    probe_.how = ExecProbe{command, user};
    return execAttempts(shared_, probe_).value();
  }
  std::unique_ptr<Attempts> script(const std::string& text) {
    return attemptsFor({"/bin/sh", "-c", text, "sh", folder()});
  }
  Judgement run(const std::vector<std::string>& command, const std::string& user = "") {
    return judge(*attemptsFor(command, user));
  }
  Judgement runScript(const std::string& text) { return judge(*script(text)); }

  // The process whose number a script has put into the file.
  pid_t processIn(const std::string& name) {
    runUntil([&] { return read(name).ends_with('\n'); });
    return std::stoi(read(name));
  }
};

TEST_F(ExecAttempts, ExitStatusesAreAnswers) {
  EXPECT_EQ(runScript("exit 0"), passed("exit status 0"));
  EXPECT_EQ(runScript("exit 1"), failed(FailureKind::reported, "exit status 1"));
  EXPECT_EQ(runScript("exit 2"), drained("exit status 2"));
  EXPECT_EQ(runScript("exit 3"), notMade("exit status 3"));
  EXPECT_EQ(runScript("echo oops; exit 127"), notMade("exit status 127: oops"));
  EXPECT_EQ(runScript("kill -9 $$"), notMade("the program was ended by SIGKILL"));
  EXPECT_EQ(runScript("echo oops; kill -SEGV $$"),
            notMade("the program was ended by SIGSEGV: oops"));
}

TEST_F(ExecAttempts, TheLastLineIsTheReason) {
  EXPECT_EQ(runScript("echo one; echo two; echo; echo ' '"), passed("two"));
  EXPECT_EQ(runScript("echo out; echo err >&2; exit 1"), failed(FailureKind::reported, "err"));
  EXPECT_EQ(runScript("printf 'no end'; exit 2"), drained("no end"));
  EXPECT_EQ(runScript("printf 'a\\033[31m\\tred\\r\\n'"), passed("a [31m red"));
  EXPECT_EQ(runScript("printf '%0500d' 0"), passed(std::string(200, '0')));
}

TEST_F(ExecAttempts, AllOutputIsReadAndLittleKept) {
  EXPECT_EQ(runScript("head -c 3000000 /dev/zero; echo; echo done"), passed("done"));
  EXPECT_EQ(runScript("echo lost; head -c 3000000 /dev/zero"), passed("exit status 0"));
}

TEST_F(ExecAttempts, ArgumentsAreNotInterpreted) {
  EXPECT_EQ(run({"/bin/echo", "$HOME", "*; exit 1"}), passed("$HOME *; exit 1"));
}

TEST_F(ExecAttempts, TheEnvironmentIsWhatACheckNeeds) {
  ::setenv("L4WARD_TEST_SECRET", "x", 1);
  EXPECT_EQ(runScript("tr '\\0' ' ' </proc/$$/environ"),
            passed("PATH=/usr/bin:/bin:/usr/sbin:/sbin L4WARD_CHECK_ADDRESS=192.0.2.1 "
                   "L4WARD_CHECK_PORT=8080"));
}

TEST_F(ExecAttempts, NoDescriptorOfOursIsHandedOn) {
  const UniqueFd opened(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const UniqueFd low(::fcntl(opened.get(), F_DUPFD, 3));  // not close-on-exec
  const UniqueFd high(::fcntl(opened.get(), F_DUPFD, 900));
  const auto numbers = std::to_string(low.get()) + " " + std::to_string(high.get());
  EXPECT_EQ(
      runScript("for n in " + numbers + "; do test -e /proc/$$/fd/$n && exit 1; done; exit 0"),
      passed("exit status 0"));
  EXPECT_EQ(runScript("readlink /proc/$$/fd/0"), passed("/dev/null"));
  EXPECT_EQ(runScript("pwd"), passed("/"));
}

TEST_F(ExecAttempts, SignalsAreAsAfterALogin) {
  sigset_t some, before;
  sigemptyset(&some);
  sigaddset(&some, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &some, &before);
  const auto handler = ::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(run({"/bin/grep", "-cE", "^Sig(Blk|Ign):.0000000000000000$", "/proc/self/status"}),
            passed("2"));
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, &before, &after);
  ::signal(SIGPIPE, handler);
  EXPECT_EQ(sigismember(&after, SIGTERM), 1);
  EXPECT_EQ(sigismember(&after, SIGHUP), sigismember(&before, SIGHUP)) << "the agent's own";
}

TEST_F(ExecAttempts, WhatCannotBeRunIsNoVerdict) {
  write("plain", "text");
  write("script", "text");
  std::filesystem::permissions(path("script"), std::filesystem::perms::owner_all);
  EXPECT_EQ(run({path("none")}),
            notMade("cannot run " + path("none") + ": No such file or directory"));
  EXPECT_EQ(run({path("plain")}), notMade("cannot run " + path("plain") + ": Permission denied"));
  EXPECT_EQ(run({path("script")}), notMade("cannot run " + path("script") + ": Exec format error"));
}

TEST_F(ExecAttempts, AnUnknownUserIsAnError) {
  probe_.how = ExecProbe{{"/bin/true"}, "l4ward-nobody"};
  const auto attempts = execAttempts(shared_, probe_);
  ASSERT_FALSE(attempts);
  EXPECT_EQ(attempts.error().message, "there is no user 'l4ward-nobody'");
}

TEST_F(ExecAttempts, RunsAsAUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(run({"/bin/sh", "-c", "echo $(id -un) $(id -ru) $(id -G)"}, "nobody"),
            passed("nobody 65534 65534"));
  EXPECT_EQ(run({"/usr/bin/id", "-un"}, "root"), passed("root"));
}

TEST_F(ExecAttempts, WithoutPrivilegesAUserIsNoVerdict) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(::seteuid(65534), 0);
  const auto other = run({"/bin/true"}, "daemon");
  const auto own = run({"/bin/true"}, "nobody");
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(other, notMade("cannot become user 'daemon': Operation not permitted"));
  EXPECT_EQ(own, passed("exit status 0"));
}

TEST_F(ExecAttempts, CancelKillsTheWholeGroup) {
  const auto attempts = script("sleep 1000 & echo $! >$1/child; echo $$ >$1/leader; wait");
  const auto attempt = attempts->make();
  attempt->start([](const Judgement& judgement) { ADD_FAILURE() << judgement.reason; });
  const auto child = processIn("child");
  const auto leader = processIn("leader");
  EXPECT_TRUE(isRunning(child));
  EXPECT_TRUE(isRunning(leader));
  attempt->cancel();
  runUntil([&] { return !isRunning(child) && !isRunning(leader) && !haveChildren(); });
}

TEST_F(ExecAttempts, AProgramMayOutliveItsAttemptsUntilItIsReaped) {
  auto attempts = script("echo $$ >$1/leader; exec sleep 1000");
  auto attempt = attempts->make();
  attempt->start([](const Judgement& judgement) { ADD_FAILURE() << judgement.reason; });
  const auto leader = processIn("leader");
  attempt->cancel();
  attempt.reset();
  attempts.reset();
  runUntil([&] { return !isRunning(leader) && !haveChildren(); });
}

TEST_F(ExecAttempts, WhoeverKeepsTheOutputOpenHoldsUpNothing) {
  EXPECT_EQ(runScript("sleep 1000 & echo $! >$1/child; echo fine"), passed("fine"));
  const auto child = processIn("child");
  runUntil([&] { return !isRunning(child); });
}

// In another session, so that killing the group does not reach it.
TEST_F(ExecAttempts, NorDoesOneThatIsNotInTheGroup) {
  for (const std::string program : {"sleep 1000", "yes"}) {
    write("child", "");
    const auto judgement =
        runScript("setsid sh -c 'echo $$ >'$1'/child; exec " + program +
                  "' & until test -s $1/child; do sleep 0.01; done; echo fine; exit 1");
    EXPECT_EQ(judgement.kind, FailureKind::reported) << judgement.reason;
    const auto child = processIn("child");
    EXPECT_EQ(::kill(child, SIGKILL), 0);
  }
}

TEST_F(ExecAttempts, TheDeadline) {
  probe_.timeout = Millis{1500};
  const auto attempts = script("echo $$ >$1/leader; exec sleep 1000");
  const auto attempt = attempts->make();
  attempt->start([](const Judgement& judgement) { ADD_FAILURE() << judgement.reason; });
  const auto leader = processIn("leader");
  EXPECT_EQ(attempt->timedOut(), failed(FailureKind::timeout, "not finished within 1500ms"));
  attempt->cancel();
  runUntil([&] { return !isRunning(leader) && !haveChildren(); });
}

TEST_F(ExecAttempts, ManyThatDoNotEndAreEnough) {
  const auto attempts = script("exec sleep 1000");
  std::vector<std::shared_ptr<Attempt>> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(attempts->make());
    all.back()->start([](const Judgement& judgement) { ADD_FAILURE() << judgement.reason; });
  }
  EXPECT_EQ(judge(*attempts), notMade("4 earlier runs have not ended, though killed"));
  for (const auto& attempt : all) attempt->cancel();
  runUntil([] { return !haveChildren(); });
  const auto again = attempts->make();
  again->start([](const Judgement& judgement) { ADD_FAILURE() << judgement.reason; });
  again->cancel();
  runUntil([] { return !haveChildren(); });
}

TEST_F(ExecAttempts, NothingIsLeftBehind) {
  const auto attempts = script("echo fine");
  judge(*attempts);  // Asio opens descriptors of its own
  const auto before = openDescriptors();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(judge(*attempts), passed("fine"));
  for (int i = 0; i < 50; ++i) {
    const auto attempt = attempts->make();
    attempt->start([](const Judgement&) {});
    attempt->cancel();
    runUntil([] { return !haveChildren(); });
  }
  runReady();
  EXPECT_EQ(openDescriptors(), before);
}

TEST_F(ExecAttempts, TheEndOfTheLoopKillsThePrograms) {
  pid_t leader = 0;
  {
    asio::io_context own;
    probe_.how =
        ExecProbe{{"/bin/sh", "-c", "echo $$ >" + path("leader") + "; exec sleep 1000"}, ""};
    const auto attempts = execAttempts({own, scratch_}, probe_).value();
    const auto attempt = attempts->make();
    attempt->start([](const Judgement& judgement) { ADD_FAILURE() << judgement.reason; });
    leader = processIn("leader");
  }
  EXPECT_TRUE(leader == ::waitpid(leader, nullptr, 0) || errno == ECHILD);
}

}  // namespace
}  // namespace l4ward::healthcheck
