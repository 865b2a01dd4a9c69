#include "bgp/exabgp_process.h"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/backoff.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/unique_fd.h"
#include "bgp/child.h"
#include "bgp/exabgp_config.h"

namespace l4ward::bgp {
namespace {

using Json = nlohmann::json;

constexpr Millis kValidateTime{60000};
constexpr Millis kLongRun{60000};  // after which a death does not count as one of a series
constexpr off_t kLogLimit = 1 << 20;

// Only to tell one configuration from another.
std::string fingerprint(std::string_view text) {
  return std::to_string(fnv1a(text));
}

struct Record {
  ProcessId id;
  std::string config;  // fingerprint
};

std::optional<Record> readRecord(const std::string& path) {
  const auto bytes = readFile(path, 4096);
  if (!bytes) return std::nullopt;
  const Json json = Json::parse(*bytes, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto number = [&json](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
  };
  const auto config = json.find("config");
  if (config == json.end() || !config->is_string()) return std::nullopt;
  const auto pid = number("pid");
  if (pid == 0 || pid > 0x7fffffff || number("start_time") == 0) return std::nullopt;
  return Record{{static_cast<pid_t>(pid), number("start_time")}, config->get<std::string>()};
}

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
        killDeadline_(loop) {}

  Status run(const std::string& configText);
  void restart(const std::string& why);
  void stop(Millis grace, std::function<void()> done);

 private:
  Status adopt(const Record& record);
  Status launch();
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
  asio::steady_timer restart_;
  asio::steady_timer checkDeadline_;
  asio::steady_timer killDeadline_;
  Backoff backoff_{Millis(100), Millis(10000)};
  std::unique_ptr<ChildWatch> running_;
  std::unique_ptr<ChildWatch> checking_;
  TimePoint startedAt_;
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
  stopping_ = false;
  if (!running_) {
    const auto record = readRecord(options_.recordPath);
    if (!record || !adopt(*record)) {
      const Status launched = launch();
      if (!launched && !running_) startAgainIn(backoff_.next());
      return launched;
    }
  }
  if (config_ == fingerprint(configText)) return {};
  return checking_ ? Status{} : check();
}

Status ExabgpProcess::Impl::adopt(const Record& record) {
  const auto now = processId(record.id.pid);
  if (!now || *now != record.id) return fail("the recorded ExaBGP has ended");
  auto watch = ChildWatch::start(loop_, record.id, [this](const std::string& how) { onExit(how); });
  if (!watch) return tl::unexpected(watch.error());
  config_ = record.config;
  good_ = readFile(options_.configPath, kLogLimit).value_or("");
  if (fingerprint(good_) != config_) good_.clear();
  watchRunning(std::move(*watch), true);
  return {};
}

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
  config_ = fingerprint(wanted_);
  watchRunning(std::move(*watch), false);
  return writeRecord();
}

void ExabgpProcess::Impl::watchRunning(std::unique_ptr<ChildWatch> watch, bool adopted) {
  running_ = std::move(watch);
  startedAt_ = Clock::now();
  restart_.cancel();
  if (events_.started) events_.started(running_->id().pid, adopted);
}

void ExabgpProcess::Impl::onExit(const std::string& how) {
  running_.reset();
  if (stopping_) {
    killDeadline_.cancel();
    ::unlink(options_.recordPath.c_str());
    if (const auto stopped = std::move(stopped_)) stopped();
    return;
  }
  if (Clock::now() - startedAt_ > kLongRun) backoff_.reset();
  const std::string why = std::exchange(restartWhy_, {});
  if (!why.empty() && !wasRestarted()) {
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
  const Status launched = launch();
  if (launched) return;
  failed(launched.error());
  if (!running_) startAgainIn(backoff_.next());
}

Status ExabgpProcess::Impl::writeConfig(const std::string& path) const {
  if (const Status written = replaceFile(path, wanted_, 0600); !written) return written;
  return giveFileTo(path, options_.user);
}

Status ExabgpProcess::Impl::writeRecord() const {
  const ProcessId& id = running_->id();
  const Json json = {{"pid", id.pid}, {"start_time", id.startTime}, {"config", config_}};
  return replaceFile(options_.recordPath, json.dump() + "\n", 0640);
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
  if (!running_) return;  // the next start takes the new file
  if (const Status reloaded = reload(); !reloaded) failed(reloaded.error());
}

Status ExabgpProcess::Impl::reload() {
  if (const Status written = writeConfig(options_.configPath); !written) return written;
  ::unlink(checkPath().c_str());
  const bool anew = needsRestart(good_, wanted_);
  good_ = wanted_;
  config_ = fingerprint(wanted_);
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

}  // namespace l4ward::bgp
