#include "bgp/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

namespace l4ward::bgp {
namespace {

// posix_spawn's two opaque structures, released in every case.
struct SpawnSetup {
  SpawnSetup() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  void setFiles(int output) {
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (output >= 0) {
      ::posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    } else {
      ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    }
    ::posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    ::posix_spawn_file_actions_addchdir_np(&files, "/");
    ::posix_spawn_file_actions_addclosefrom_np(&files, 3);
  }

  void setSignals() {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(&attributes,
                               POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
};

std::vector<std::string> mergedEnvironment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    if (!added.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (const auto& [name, value] : added) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> all;
  for (std::string& text : strings) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

Result<ProcessId> spawn(const ChildSpec& spec) {
  SpawnSetup setup;
  setup.setFiles(spec.output);
  setup.setSignals();
  std::vector<std::string> arguments = spec.arguments;
  std::vector<std::string> environment = mergedEnvironment(spec.environment);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, arguments.at(0).c_str(), &setup.files, &setup.attributes,
                                   pointers(arguments).data(), pointers(environment).data());
  if (error != 0) return failErrno("cannot run " + spec.arguments[0], error);
  // It may have ended already; then it is a zombie that the watch will reap.
  return processId(pid).value_or(ProcessId{pid, 0});
}

ChildWatch::ChildWatch(asio::io_context& loop, ProcessId id, UniqueFd pidfd,
                       std::function<void(std::string)> ended)
    : id_(id), pidfd_(loop, pidfd.release()), ended_(std::move(ended)) {}

Result<std::unique_ptr<ChildWatch>> ChildWatch::start(asio::io_context& loop, const ProcessId& id,
                                                      std::function<void(std::string)> ended) {
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, id.pid, 0)));
  if (!pidfd) return failErrno("cannot watch process " + std::to_string(id.pid), errno);
  const auto now = processId(id.pid);
  const bool isOther = now && *now != id && id.startTime != 0;
  if (isOther) return fail("process " + std::to_string(id.pid) + " is another one by now", ESRCH);
  std::unique_ptr<ChildWatch> watch(new ChildWatch(loop, id, std::move(pidfd), std::move(ended)));
  watch->wait();
  return watch;
}

void ChildWatch::wait() {
  pidfd_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const ErrorCode& error) {
    if (error) return;
    const std::string how = reap();
    const auto ended = std::move(ended_);
    ended(how);  // may destroy this
  });
}

std::string ChildWatch::reap() const {
  int status = 0;
  if (::waitpid(id_.pid, &status, WNOHANG) != id_.pid) return "ended";
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

void ChildWatch::signal(int number) const {
  auto& fd = const_cast<asio::posix::stream_descriptor&>(pidfd_);
  ::syscall(SYS_pidfd_send_signal, fd.native_handle(), number, nullptr, 0);
}

}  // namespace l4ward::bgp
