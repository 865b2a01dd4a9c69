#include "bgp/exabgp_process.h"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/backoff.h"
#include "base/directory_watch.h"
#include "base/file.h"
#include "base/log.h"
#include "base/unique_fd.h"
#include "bgp/child.h"
#include "bgp/exabgp_config.h"
#include "bgp/exabgp_record.h"

namespace l4ward::bgp {
namespace {

constexpr Millis kValidateTime{60000};
constexpr Millis kLongRun{60000};  // after which a death does not count as one of a series
constexpr off_t kLogLimit = 1 << 20;
constexpr Millis kLookPeriod{5000};  // for a record that inotify did not tell of

// ExaBGP reads its file again on a reload, as the user that it runs as by then.
Status giveFileTo(const std::string& path, const std::string& user) {
  if (user.empty() || ::geteuid() != 0) return {};
  const passwd* found = ::getpwnam(user.c_str());
  if (!found) return fail("no such user: " + user, ENOENT);
  if (::chown(path.c_str(), found->pw_uid, found->pw_gid) != 0) {
    return failErrno("cannot give " + path + " to " + user, errno);
  }
  return {};
}

Result<UniqueFd> openLog(const std::string& path, off_t limit) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  if (!fd) return failErrno("cannot open " + path, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) == 0 && info.st_size > limit && ::ftruncate(fd.get(), 0) != 0) {
    return failErrno("cannot truncate " + path, errno);
  }
  return fd;
}

std::string tail(const std::string& text, std::size_t bytes) {
  return text.size() <= bytes ? text : "…" + text.substr(text.size() - bytes);
}

}  // namespace

class ExabgpProcess::Impl {
 public:
  Impl(asio::io_context& loop, Options options, Events events)
      : loop_(loop),
        options_(std::move(options)),
        events_(std::move(events)),
        restart_(loop),
        checkDeadline_(loop),
        killDeadline_(loop) {
    if (options_.service) watchRecord();
  }

  Status run(const std::string& configText);
  void restart(const std::string& why);
  void stop(Millis grace, std::function<void()> done);
  void retire(Millis grace, std::function<void()> done);

 private:
  bool adopt();
  Status launch();
  Status offer();
  void watchRecord();
  void lookForService();
  void launchOrRetry();
  void watchRunning(std::unique_ptr<ChildWatch> watch, bool adopted);
  void onExit(const std::string& how);
  void startAgainIn(Millis wait);
  bool wasRestarted() const;
  Status writeConfig(const std::string& path) const;
  Status writeRecord() const;
  Status check();
  void onChecked(const std::string& how);
  Status reload();
  void failed(const Error& error) const;
  std::string checkPath() const { return options_.configPath + ".check"; }

  asio::io_context& loop_;
  const Options options_;
  const Events events_;
  std::unique_ptr<DirectoryWatch> directory_;  // of the record, for a service
  asio::steady_timer restart_;
  asio::steady_timer checkDeadline_;
  asio::steady_timer killDeadline_;
  Backoff backoff_{Millis(100), Millis(10000)};
  std::unique_ptr<ChildWatch> running_;
  std::unique_ptr<ChildWatch> checking_;
  TimePoint startedAt_;
  TimePoint awaitedSince_;  // the service
  bool awaitedTold_ = false;
  std::string wanted_;       // the configuration that run() was given last, unless it was refused
  std::string good_;         // the last one that ExaBGP took; empty: unknown
  std::string checked_;      // the one that is being validated
  std::string config_;       // fingerprint of the one that ExaBGP has
  bool isVersion5_ = false;  // it does not know --validate
  std::string restartWhy_;   // of the restart() that is under way; empty: none is
  std::optional<TimePoint> restartedAt_;
  bool stopping_ = false;
  std::function<void()> stopped_;
};

Status ExabgpProcess::Impl::run(const std::string& configText) {
  wanted_ = configText;
  const bool isEnding = std::exchange(stopping_, false) && running_;
  killDeadline_.cancel();
  if (!running_ && !adopt()) {
    if (options_.service) return offer();
    const Status launched = launch();
    if (!launched && !running_) startAgainIn(backoff_.next());
    return launched;
  }
  if (isEnding) return writeConfig(options_.configPath);  // for the one that follows
  if (config_ == configFingerprint(configText)) return {};
  return checking_ ? Status{} : check();
}

// Whether one runs that an earlier agent or the service manager has started.
bool ExabgpProcess::Impl::adopt() {
  const auto record = findExabgp(options_.recordPath);
  if (!record) return false;
  auto watch =
      ChildWatch::start(loop_, record->id, [this](const std::string& how) { onExit(how); });
  if (!watch) return false;
  config_ = record->config;
  good_ = readFile(options_.configPath, kMaxExabgpConfig).value_or("");
  if (configFingerprint(good_) != config_) good_.clear();
  watchRunning(std::move(*watch), true);
  return true;
}

// --- a service

void ExabgpProcess::Impl::watchRecord() {
  const std::filesystem::path record(options_.recordPath);
  if (!directory_) {
    directory_ = std::make_unique<DirectoryWatch>(
        loop_, [this, name = record.filename().string()](std::string_view changed) {
          if (!wanted_.empty() && (changed.empty() || changed == name)) lookForService();
        });
  }
  directory_->watch({record.parent_path().string()});
}

// It starts when it finds its configuration.
Status ExabgpProcess::Impl::offer() {
  awaitedSince_ = Clock::now();
  startAgainIn(std::min(kLookPeriod, options_.servicePatience));
  const Status written = writeConfig(options_.configPath);
  if (written) good_ = wanted_;
  return written;
}

void ExabgpProcess::Impl::lookForService() {
  if (running_ || stopping_) return;
  if (adopt()) {
    if (config_ == configFingerprint(wanted_) || checking_) return;
    if (const Status checked = check(); !checked) failed(checked.error());
    return;
  }
  watchRecord();
  startAgainIn(std::min(kLookPeriod, options_.servicePatience));
  if (awaitedTold_ || Clock::now() - awaitedSince_ < options_.servicePatience) return;
  awaitedTold_ = true;
  if (events_.awaited) events_.awaited();
}

// --- one of our own

Status ExabgpProcess::Impl::launch() {
  if (const Status written = writeConfig(options_.configPath); !written) return written;
  const auto logFile = openLog(options_.logPath, kLogLimit);
  if (!logFile) return tl::unexpected(logFile.error());
  const auto id = spawn(
      {{options_.program, options_.configPath}, exabgpEnvironment(options_.user), logFile->get()});
  if (!id) return tl::unexpected(id.error());
  auto watch = ChildWatch::start(loop_, *id, [this](const std::string& how) { onExit(how); });
  if (!watch) return tl::unexpected(watch.error());
  good_ = wanted_;
  config_ = configFingerprint(wanted_);
  watchRunning(std::move(*watch), false);
  return writeRecord();
}

void ExabgpProcess::Impl::watchRunning(std::unique_ptr<ChildWatch> watch, bool adopted) {
  running_ = std::move(watch);
  startedAt_ = Clock::now();
  awaitedTold_ = false;
  restart_.cancel();
  if (events_.started) events_.started(running_->id().pid, adopted);
}

void ExabgpProcess::Impl::onExit(const std::string& how) {
  running_.reset();
  if (stopping_) {
    killDeadline_.cancel();
    if (!options_.service) ::unlink(options_.recordPath.c_str());
    if (const auto stopped = std::move(stopped_)) stopped();
    return;
  }
  if (Clock::now() - startedAt_ > kLongRun) backoff_.reset();
  const std::string why = std::exchange(restartWhy_, {});
  if (options_.service) {
    awaitedSince_ = Clock::now();
    startAgainIn(Millis(0));  // it may have been started again already
  } else if (!why.empty() && !wasRestarted()) {
    restartedAt_ = Clock::now();
    startAgainIn(Millis(0));
  } else {
    startAgainIn(backoff_.next());
  }
  if (events_.exited) events_.exited(why.empty() ? how : how + ": " + why);
}

bool ExabgpProcess::Impl::wasRestarted() const {
  return restartedAt_ && Clock::now() - *restartedAt_ <= kLongRun;
}

void ExabgpProcess::Impl::startAgainIn(Millis wait) {
  restart_.expires_after(wait);
  restart_.async_wait([this](const ErrorCode& cancelled) {
    if (!cancelled && !stopping_ && !running_) launchOrRetry();
  });
}

void ExabgpProcess::Impl::launchOrRetry() {
  if (options_.service) return lookForService();
  const Status launched = launch();
  if (launched) return;
  failed(launched.error());
  if (!running_) startAgainIn(backoff_.next());
}

Status ExabgpProcess::Impl::writeConfig(const std::string& path) const {
  if (const Status written = replaceFile(path, wanted_, 0600); !written) return written;
  return giveFileTo(path, options_.user);
}

// A service may have been started anew just now: then the record is not about ours.
Status ExabgpProcess::Impl::writeRecord() const {
  const ProcessId& id = running_->id();
  if (options_.service) {
    const auto record = readExabgpRecord(options_.recordPath);
    if (record && record->id != id) return {};
  }
  return writeExabgpRecord(options_.recordPath, {id, config_});
}

// A broken file would also spoil the next good reload (trap 9), so ExaBGP tries it in a process of
// its own first; that takes half a second, during which the loop goes on.
Status ExabgpProcess::Impl::check() {
  if (const Status written = writeConfig(checkPath()); !written) return written;
  checked_ = wanted_;
  ::unlink((options_.logPath + ".check").c_str());
  const auto output = openLog(options_.logPath + ".check", kLogLimit);
  if (!output) return tl::unexpected(output.error());
  auto environment = exabgpEnvironment(options_.user);
  // Which names the line that is wrong, but not the passwords.
  environment["exabgp_log_level"] = isVersion5_ ? "ERROR" : "ERR";
  const std::string verb = isVersion5_ ? "validate" : "--validate";
  const auto id = spawn({{options_.program, verb, checkPath()}, environment, output->get()});
  if (!id) return tl::unexpected(id.error());
  auto watch = ChildWatch::start(loop_, *id, [this](const std::string& how) { onChecked(how); });
  if (!watch) return tl::unexpected(watch.error());
  checking_ = std::move(*watch);
  checkDeadline_.expires_after(kValidateTime);
  checkDeadline_.async_wait([this](const ErrorCode& cancelled) {
    if (!cancelled && checking_) checking_->signal(SIGKILL);
  });
  return {};
}

void ExabgpProcess::Impl::onChecked(const std::string& how) {
  checking_.reset();
  checkDeadline_.cancel();
  const bool isOtherVersion = how == "exit status 2" && !std::exchange(isVersion5_, true);
  if (isOtherVersion || (checked_ != wanted_ && running_)) {  // or run() was called meanwhile
    if (const Status again = check(); !again) failed(again.error());
    return;
  }
  if (how != "exit status 0") {
    if (!good_.empty()) wanted_ = good_;  // which a restart takes, too
    const std::string said = readFile(options_.logPath + ".check", kLogLimit).value_or("");
    return failed(Error{"ExaBGP refuses the new configuration (" + how +
                            "), the old one goes on: " + tail(said, 500),
                        0});
  }
  if (!running_ && !options_.service) return;  // the next start takes the new file
  if (const Status reloaded = reload(); !reloaded) failed(reloaded.error());
}

Status ExabgpProcess::Impl::reload() {
  if (const Status written = writeConfig(options_.configPath); !written) return written;
  ::unlink(checkPath().c_str());
  const bool anew = needsRestart(good_, wanted_);
  good_ = wanted_;
  if (!running_) return {};
  config_ = configFingerprint(wanted_);
  if (anew) {
    restart("a new passive neighbor");
    return {};
  }
  running_->signal(SIGUSR1);
  log::info("exabgp.reload");
  return writeRecord();
}

void ExabgpProcess::Impl::restart(const std::string& why) {
  if (!running_ || stopping_) return;
  log::warning("exabgp.restart", {{"reason", why}});
  restartWhy_ = why;
  running_->signal(SIGKILL);
}

void ExabgpProcess::Impl::stop(Millis grace, std::function<void()> done) {
  stopping_ = true;
  restart_.cancel();
  if (!running_) {
    if (done) asio::post(loop_, std::move(done));
    return;
  }
  stopped_ = std::move(done);
  running_->signal(SIGTERM);
  killDeadline_.expires_after(grace);
  killDeadline_.async_wait([this](const ErrorCode& cancelled) {
    if (!cancelled && running_) running_->signal(SIGKILL);
  });
}

void ExabgpProcess::Impl::retire(Millis grace, std::function<void()> done) {
  if (!running_) adopt();
  wanted_.clear();
  ::unlink(options_.configPath.c_str());
  if (!running_ && !options_.service) ::unlink(options_.recordPath.c_str());
  stop(grace, std::move(done));
}

void ExabgpProcess::Impl::failed(const Error& error) const {
  if (events_.failed) events_.failed(error);
}

ExabgpProcess::ExabgpProcess(asio::io_context& loop, Options options, Events events)
    : impl_(std::make_unique<Impl>(loop, std::move(options), std::move(events))) {}
ExabgpProcess::~ExabgpProcess() = default;
Status ExabgpProcess::run(const std::string& configText) {
  return impl_->run(configText);
}
void ExabgpProcess::restart(const std::string& why) {
  impl_->restart(why);
}
void ExabgpProcess::stop(Millis grace, std::function<void()> done) {
  impl_->stop(grace, std::move(done));
}
void ExabgpProcess::retire(Millis grace, std::function<void()> done) {
  impl_->retire(grace, std::move(done));
}

}  // namespace l4ward::bgp
