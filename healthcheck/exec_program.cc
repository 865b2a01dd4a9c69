#include "healthcheck/exec_program.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>

namespace l4ward::healthcheck {
namespace {

enum class Step : int { setUp, user, run };

// What the child tells its parent when it cannot become the program.
struct Trouble {
  Step step = Step::setUp;
  int code = 0;
};

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> openPipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failErrno("cannot open a pipe", errno);
  Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return pipe;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> all;
  for (const auto& text : strings) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

// The child between fork and exec. Other threads may have held any lock, so there are only
// async-signal-safe calls here, and no memory is taken.
class Child {
 public:
  Child(int output, int trouble, const std::optional<ExecUser>& user)
      : output_(output), trouble_(trouble), user_(user) {}

  [[noreturn]] void become(char* const* arguments, char* const* environment) {
    ::setpgid(0, 0);
    setDescriptors();
    if (::chdir("/") != 0) giveUp(Step::setUp);
    if (user_) setUser();
    resetSignals();
    ::execve(arguments[0], arguments, environment);
    giveUp(Step::run);
  }

 private:
  [[noreturn]] void giveUp(Step step) {
    const Trouble trouble{step, errno};
    [[maybe_unused]] const auto written = ::write(trouble_, &trouble, sizeof trouble);
    ::_exit(127);
  }

  int check(int result) {
    if (result < 0) giveUp(Step::setUp);
    return result;
  }

  void setDescriptors() {
    // Out of the way of 0 to 2, should these have been closed in the agent.
    trouble_ = check(::fcntl(trouble_, F_DUPFD_CLOEXEC, 3));
    output_ = check(::fcntl(output_, F_DUPFD_CLOEXEC, 3));
    const int input = check(::open("/dev/null", O_RDONLY));
    check(::dup2(input, STDIN_FILENO));
    check(::dup2(output_, STDOUT_FILENO));
    check(::dup2(output_, STDERR_FILENO));
    check(::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC));
  }

  // The system calls themselves: the C library's functions would tell all threads, of which a child
  // has one.
  void setUser() {
    const auto& groups = user_->groups;
    if (::syscall(SYS_setgroups, groups.size(), groups.data()) != 0 ||
        ::syscall(SYS_setresgid, groups[0], groups[0], groups[0]) != 0 ||
        ::syscall(SYS_setresuid, user_->id, user_->id, user_->id) != 0) {
      giveUp(Step::user);
    }
  }

  // Again the system call: the C library keeps two signals to itself, and its own posix_spawn(), by
  // which this node's service manager may have started the agent, leaves them ignored.
  static void resetSignals() {
    struct {
      void* handler = nullptr;  // SIG_DFL
      unsigned long flags = 0;
      void* restorer = nullptr;
      unsigned long mask = 0;
    } const standard;
    for (int number = 1; number < NSIG; ++number) {
      ::syscall(SYS_rt_sigaction, number, &standard, nullptr, sizeof standard.mask);
    }
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
  }

  int output_;
  int trouble_;
  const std::optional<ExecUser>& user_;
};

}  // namespace

Result<ExecUser> lookUpUser(const std::string& name) {
  std::vector<char> buffer(std::size_t{16} * 1024);
  passwd entry{};
  passwd* found = nullptr;
  const int error = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (error != 0) return failErrno("cannot look up user '" + name + "'", error);
  if (!found) return fail("there is no user '" + name + "'");
  std::vector<gid_t> groups(64);
  for (int count = 0;;) {
    count = static_cast<int>(groups.size());
    const int listed = ::getgrouplist(name.c_str(), entry.pw_gid, groups.data(), &count);
    if (listed < 0 && count <= static_cast<int>(groups.size())) {
      return fail("cannot look up the groups of user '" + name + "'");
    }
    groups.resize(static_cast<std::size_t>(count));
    if (listed >= 0) break;
  }
  std::erase(groups, entry.pw_gid);
  groups.insert(groups.begin(), entry.pw_gid);
  return ExecUser{name, entry.pw_uid, std::move(groups)};
}

Result<StartedProgram> startProgram(const ExecProgram& program) {
  auto output = openPipe();
  if (!output) return tl::unexpected(output.error());
  auto trouble = openPipe();
  if (!trouble) return tl::unexpected(trouble.error());
  const auto arguments = pointers(program.command);
  const auto environment = pointers(program.environment);
  Child child(output->write.get(), trouble->write.get(), program.user);

  // Until the child has dropped them, the agent's signal handlers would run in it.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) child.become(arguments.data(), environment.data());
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return failErrno("cannot start a process", error);

  // Here, too: whoever is first, it is done before the group may have to be killed.
  ::setpgid(pid, pid);
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const auto failure = failErrno("cannot watch a process", errno);
    killGroup(pid);
    ::waitpid(pid, nullptr, 0);
    return failure;
  }
  return StartedProgram{pid, std::move(pidfd), std::move(output->read), std::move(trouble->read)};
}

std::optional<std::string> whyNotRun(const StartedProgram& started, const ExecProgram& program) {
  Trouble trouble;
  const auto got = ::read(started.trouble.get(), &trouble, sizeof trouble);
  if (got != static_cast<ssize_t>(sizeof trouble)) return std::nullopt;
  std::string what = "cannot set up a process";
  if (trouble.step == Step::run) what = "cannot run " + program.command[0];
  if (trouble.step == Step::user) what = "cannot become user '" + program.user->name + "'";
  return failErrno(what, trouble.code).value().message;
}

void killGroup(pid_t pid) {
  ::kill(-pid, SIGKILL);
}

}  // namespace l4ward::healthcheck
