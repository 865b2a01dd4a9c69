// A check by a program of the operator's: its exit status says up, down or drain.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "healthcheck/attempt.h"
#include "healthcheck/clean_text.h"
#include "healthcheck/exec_program.h"

namespace l4ward::healthcheck {
namespace {

constexpr std::size_t maxKeptOutput = std::size_t{4} * 1024;
constexpr std::size_t maxReasonBytes = 200;
// What is still read when the program has ended; as much as a pipe holds.
constexpr std::size_t maxLateOutput = std::size_t{64} * 1024;
// A program that was killed and does not end hangs in the kernel, say on a dead NFS server.
constexpr std::size_t maxUnended = 4;

using Descriptor = asio::posix::stream_descriptor;

ErrorCode adopt(Descriptor& descriptor, UniqueFd& fd) {
  ErrorCode error;
  descriptor.assign(fd.get(), error);
  if (!error) fd.release();
  return error;
}

// A process until it is reaped, which may be after the end of the attempt it was started for.
class Run : public std::enable_shared_from_this<Run> {
 public:
  // The status of waitpid(2); nothing if somebody else has taken it.
  using Ended = std::function<void(std::optional<int> status)>;

  Run(asio::io_context& io, StartedProgram started) : started_(std::move(started)), pidfd_(io) {}
  // Not reaped by now: the io_context is gone.
  ~Run() {
    if (reaped_) return;
    killGroup(started_.pid);
    ::waitpid(started_.pid, nullptr, WNOHANG);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  ErrorCode watch(Ended ended) {
    if (const auto error = adopt(pidfd_, started_.pidfd)) {
      killGroup(started_.pid);
      ::waitpid(started_.pid, nullptr, 0);
      reaped_ = true;
      return error;
    }
    ended_ = std::move(ended);
    wait();
    return {};
  }

  // `ended` will not be called any more.
  void abandon() {
    ended_ = nullptr;
    if (!reaped_) killGroup(started_.pid);
  }

  StartedProgram& started() { return started_; }

 private:
  void wait() {
    pidfd_.async_wait(Descriptor::wait_read, [self = shared_from_this()](const ErrorCode& error) {
      if (!error) self->reap();
    });
  }

  void reap() {
    killGroup(started_.pid);  // what it has left behind
    int status = 0;
    const auto pid = ::waitpid(started_.pid, &status, WNOHANG);
    if (pid == 0) return wait();
    reaped_ = true;
    const auto ended = std::exchange(ended_, nullptr);
    if (ended) ended(pid > 0 ? std::optional(status) : std::nullopt);
  }

  StartedProgram started_;
  Descriptor pidfd_;
  Ended ended_;
  bool reaped_ = false;
};

// The last line that says something.
std::string lastLine(std::string_view output) {
  while (!output.empty()) {
    const auto before = output.rfind('\n');
    const auto start = before == std::string_view::npos ? 0 : before + 1;
    if (auto line = cleanText(output.substr(start), maxReasonBytes); !line.empty()) return line;
    output = output.substr(0, start == 0 ? 0 : before);
  }
  return {};
}

std::string withLine(const std::string& what, const std::string& line) {
  return line.empty() ? what : what + ": " + line;
}

Judgement judgeEnd(int status, const std::string& line) {
  if (WIFSIGNALED(status)) {
    const char* const name = ::sigabbrev_np(WTERMSIG(status));
    const auto signal = name ? std::string("SIG") + name : std::to_string(WTERMSIG(status));
    return notMade(withLine("the program was ended by " + signal, line));
  }
  const int code = WEXITSTATUS(status);
  const auto plain = "exit status " + std::to_string(code);
  const auto& reason = line.empty() ? plain : line;
  switch (code) {
    case 0:
      return passed(reason);
    case 1:
      return failed(FailureKind::reported, reason);
    case 2:
      return {Answer::drain, FailureKind::none, reason, {}, {}};
    default:
      return notMade(withLine(plain, line));
  }
}

// What the attempts of one job share.
struct Common {
  asio::io_context& io;
  std::span<char> scratch;
  const Probe& probe;
  ExecProgram program;
  std::vector<std::weak_ptr<Run>> runs;  // not yet reaped
};

class ExecAttempt final : public Attempt, public std::enable_shared_from_this<ExecAttempt> {
 public:
  explicit ExecAttempt(Common& shared) : shared_(shared), output_(shared.io) {}
  ~ExecAttempt() override { close(); }

  void start(Done done) override;
  void cancel() override { close(); }
  Judgement timedOut() const override {
    return failed(FailureKind::timeout,
                  "not finished within " + formatDuration(shared_.probe.timeout));
  }

 private:
  void awaitOutput();
  // As read(2) returns.
  ssize_t readOutput();
  void onEnded(std::optional<int> status);
  void end(Judgement judgement);
  void close();

  Common& shared_;
  Done done_;  // empty: over
  std::shared_ptr<Run> run_;
  Descriptor output_;
  std::string kept_;
  std::size_t read_ = 0;
};

void ExecAttempt::start(Done done) {
  done_ = std::move(done);
  std::erase_if(shared_.runs, [](const auto& run) { return run.expired(); });
  if (shared_.runs.size() >= maxUnended) {
    return end(notMade(std::to_string(maxUnended) + " earlier runs have not ended, though killed"));
  }
  auto started = startProgram(shared_.program);
  if (!started) return end(notMade(started.error().message));
  run_ = std::make_shared<Run>(shared_.io, std::move(*started));
  auto error = run_->watch([self = weak_from_this()](std::optional<int> status) {
    if (const auto attempt = self.lock()) attempt->onEnded(status);
  });
  if (!error) error = adopt(output_, run_->started().output);
  if (error) return end(notMade("cannot watch a process: " + error.message()));
  shared_.runs.push_back(run_);
  awaitOutput();
}

// Once per readiness: a program that writes without end must not hold up the other probes.
void ExecAttempt::awaitOutput() {
  output_.async_wait(Descriptor::wait_read, [self = shared_from_this()](const ErrorCode& error) {
    if (error || !self->done_) return;
    const auto got = self->readOutput();
    if (got > 0 || (got < 0 && errno == EAGAIN)) self->awaitOutput();
  });
}

ssize_t ExecAttempt::readOutput() {
  const auto& scratch = shared_.scratch;
  const auto got = ::read(output_.native_handle(), scratch.data(), scratch.size());
  if (got <= 0) return got;
  const std::string_view bytes(scratch.data(), static_cast<std::size_t>(got));
  read_ += bytes.size();
  kept_ += bytes.substr(bytes.size() - std::min(bytes.size(), maxKeptOutput));
  if (kept_.size() > maxKeptOutput) kept_.erase(0, kept_.size() - maxKeptOutput);
  return got;
}

void ExecAttempt::onEnded(std::optional<int> status) {
  // Others may hold the pipe open and write on, so this ends when it is empty or at a limit.
  const auto limit = read_ + maxLateOutput;
  while (read_ < limit && readOutput() > 0) {
  }
  if (!status) return end(notMade("the program's exit status was lost"));
  if (const auto why = whyNotRun(run_->started(), shared_.program)) return end(notMade(*why));
  end(judgeEnd(*status, lastLine(kept_)));
}

void ExecAttempt::end(Judgement judgement) {
  const Done done = std::exchange(done_, nullptr);
  close();
  done(std::move(judgement));
}

void ExecAttempt::close() {
  done_ = nullptr;
  ErrorCode ignored;
  output_.close(ignored);
  if (run_) run_->abandon();
  run_.reset();
}

class ExecAttempts final : public Attempts {
 public:
  explicit ExecAttempts(Common shared) : shared_(std::move(shared)) {}
  std::shared_ptr<Attempt> make() override { return std::make_shared<ExecAttempt>(shared_); }

 private:
  Common shared_;
};

}  // namespace

Result<std::unique_ptr<Attempts>> execAttempts(const Attempts::Shared& shared, const Probe& probe) {
  const auto& how = std::get<ExecProbe>(probe.how);
  if (how.command.empty()) return fail("there is no program to run");
  ExecProgram program{
      how.command,
      {"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "L4WARD_CHECK_ADDRESS=" + probe.target.address.str(),
       "L4WARD_CHECK_PORT=" + std::to_string(probe.target.port)},
      {}};
  if (!how.user.empty()) {
    auto user = lookUpUser(how.user);
    if (!user) return tl::unexpected(user.error());
    // Without privileges not even this may be set.
    const bool isOwn = user->id == ::geteuid();
    if (!isOwn) program.user = std::move(*user);
  }
  return std::make_unique<ExecAttempts>(
      Common{shared.io, shared.scratch, probe, std::move(program), {}});
}

}  // namespace l4ward::healthcheck
