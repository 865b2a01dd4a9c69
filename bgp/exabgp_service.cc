#include "bgp/exabgp_service.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/asio.h"
#include "base/clock.h"
#include "base/directory_watch.h"
#include "base/file.h"
#include "base/log.h"
#include "base/user.h"
#include "bgp/child.h"
#include "bgp/exabgp_config.h"
#include "bgp/exabgp_record.h"

namespace l4ward::bgp {
namespace {

constexpr Millis kLookPeriod{5000};  // where inotify is not to be had

// Ends its loop when it is time to start.
class Wait {
 public:
  Wait(asio::io_context& loop, std::string runDir)
      : loop_(loop),
        runDir_(std::move(runDir)),
        directory_(loop, [this](std::string_view) { look(); }),
        timer_(loop) {
    directory_.watch({runDir_});
    look();
    if (!config_) log::info("exabgp.waits", {{"for", configPath()}});
    lookAgain();
  }

  std::string configPath() const { return runDir_ + "/exabgp.conf"; }
  std::string recordPath() const { return runDir_ + "/exabgp.pid"; }
  const std::optional<Result<std::string>>& config() const { return config_; }

 private:
  void look() {
    if (config_ || otherRuns()) return;
    auto text = readFile(configPath(), kMaxExabgpConfig);
    if (!text && text.error().code == ENOENT) return;
    config_ = std::move(text);
    loop_.stop();
  }

  // One that an agent has started itself, say.
  bool otherRuns() {
    if (other_) return true;
    const auto record = findExabgp(recordPath());
    if (!record) return false;
    auto watch = ChildWatch::start(loop_, record->id, [this](const std::string&) {
      other_.reset();
      look();
    });
    if (!watch) return false;
    log::warning("exabgp.waits", {{"for", "the end of process " + std::to_string(record->id.pid)}});
    other_ = std::move(*watch);
    return true;
  }

  void lookAgain() {
    timer_.expires_after(kLookPeriod);
    timer_.async_wait([this](const ErrorCode& stopped) {
      if (stopped) return;
      directory_.watch({runDir_});
      look();
      lookAgain();
    });
  }

  asio::io_context& loop_;
  const std::string runDir_;
  DirectoryWatch directory_;
  asio::steady_timer timer_;
  std::unique_ptr<ChildWatch> other_;
  std::optional<Result<std::string>> config_;
};

Error become(const std::string& program, const std::string& configPath) {
  for (const auto& [name, value] : exabgpEnvironment(userName())) {
    ::setenv(name.c_str(), value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread
  }
  std::string arguments[] = {program, configPath};
  char* const pointers[] = {arguments[0].data(), arguments[1].data(), nullptr};
  ::execvp(program.c_str(), pointers);
  const int code = errno;
  return failErrno("cannot run " + program + " (apt-get install exabgp)", code).value();
}

}  // namespace

Error becomeExabgp(const std::string& runDir, const std::string& program) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(runDir, ignored)) {
    return Error{runDir + " is no directory: give the agent's --run-dir", ENOTDIR};
  }
  asio::io_context loop(1);
  Wait wait(loop, runDir);
  if (!wait.config()) loop.run();
  const auto& config = *wait.config();
  if (!config) return config.error();
  const auto self = processId(::getpid());
  if (!self) return self.error();
  // The record is an invitation to reload, by a signal that ends a program which is still starting.
  // What it would read by then is the new configuration anyway.
  std::signal(SIGUSR1, SIG_IGN);
  const Status recorded = writeExabgpRecord(wait.recordPath(), {*self, configFingerprint(*config)});
  if (!recorded) return recorded.error();
  return become(program, wait.configPath());
}

}  // namespace l4ward::bgp
