#include "bgp/relay_io.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "bgp/process_id.h"

namespace l4ward::bgp {
namespace {

constexpr Millis kLate{500};  // a timer, on a machine that is merely busy
constexpr LineConnection::Limits kAgentLimits{kMaxMessage, std::size_t{16} << 20};

RelayState loadState(const std::string& recordPath) {
  const auto parent = processId(::getppid());
  std::string instance = parent ? parent->str() : "unknown";
  const auto bytes = readFile(recordPath, kMaxRecord);
  if (!bytes) {
    const bool lost = bytes.error().code != ENOENT;
    if (lost) log::error("relay.record_lost", {{"reason", bytes.error().message}});
    return {Clock::now(), std::move(instance), std::nullopt, lost};
  }
  const auto record = decodeRecord(*bytes);
  if (record) return {Clock::now(), std::move(instance), *record, false};
  log::error("relay.record_lost", {{"reason", record.error().message}});
  return {Clock::now(), std::move(instance), std::nullopt, true};
}

}  // namespace

RelayIo::RelayIo(asio::io_context& loop, std::string socketPath, std::string recordPath)
    : loop_(loop),
      socketPath_(std::move(socketPath)),
      recordPath_(std::move(recordPath)),
      state_(loadState(recordPath_)),
      input_(loop, ::dup(STDIN_FILENO)),
      output_(loop, ::dup(STDOUT_FILENO)),
      timer_(loop),
      reconnect_(loop),
      chunk_(16384, '\0') {
  input_.non_blocking(true);
  output_.non_blocking(true);
}

void RelayIo::start() {
  waitForInput();
  connectAgent();
  pump();
}

// --- ExaBGP

void RelayIo::waitForInput() {
  input_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const ErrorCode&) {
    pump();
    waitForInput();
  });
}

// All that ExaBGP has written. False at its end: the routes' fate is the next relay's then, which
// may run already, so this one does nothing more.
bool RelayIo::readInput() {
  for (;;) {
    const ssize_t got = ::read(input_.native_handle(), chunk_.data(), chunk_.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) {
      log::info("relay.end", {{"reason", "ExaBGP closed the channel"}});
      quit(0);
      return false;
    }
    replies_.feed(std::string_view(chunk_.data(), static_cast<std::size_t>(got)));
    while (const auto line = replies_.next()) state_.exabgpLine(time(), *line);
  }
}

void RelayIo::queueLines(const std::vector<std::string>& lines) {
  std::string block;
  for (const std::string& line : lines) {
    if (!block.empty() && block.size() + line.size() + 1 > kMaxCommandLine + 1) {
      blocks_.push_back(std::exchange(block, {}));
    }
    block += line;
    block += '\n';
  }
  if (!block.empty()) blocks_.push_back(std::move(block));
}

void RelayIo::writeOutput() {
  while (!blocks_.empty() && !outputWaits_) {
    const ssize_t put =
        ::write(output_.native_handle(), blocks_.front().data(), blocks_.front().size());
    if (put >= 0) {
      blocks_.front().erase(0, static_cast<std::size_t>(put));  // all of it, for a pipe
      if (blocks_.front().empty()) blocks_.pop_front();
    } else if (errno == EAGAIN) {
      outputWaits_ = true;
      output_.async_wait(asio::posix::stream_descriptor::wait_write, [this](const ErrorCode&) {
        outputWaits_ = false;
        writeOutput();
      });
    } else if (errno != EINTR) {
      log::info("relay.end", {{"reason", std::strerror(errno)}});
      return quit(0);
    }
  }
}

// --- the agent

void RelayIo::connectAgent() {
  if (!readInput()) return;
  LineConnection::Socket socket(loop_);
  ErrorCode error;
  // The address does not throw: main checked its length.
  socket.connect(asio::local::stream_protocol::endpoint(socketPath_), error);
  if (error) {
    reconnect_.expires_after(backoff_.next());
    reconnect_.async_wait([this](const ErrorCode& stopped) {
      if (!stopped) connectAgent();
    });
    return;
  }
  backoff_.reset();
  agent_ = LineConnection::open(std::move(socket), kAgentLimits,
                                {[this](const std::string& line) { agentLine(line); },
                                 [this](const std::string& why) { agentGone(why); }});
  log::info("relay.agent_connected");
  state_.agentConnected(Clock::now());
  pump();
}

void RelayIo::agentLine(const std::string& line) {
  const auto message = decodeAgentMessage(line);
  if (!message) {
    agent_->close();
    return agentGone(message.error().message);
  }
  state_.agentMessage(time(), *message);
  pump();
}

void RelayIo::agentGone(const std::string& why) {
  log::warning("relay.agent_gone", {{"reason", why}});
  agent_.reset();
  state_.agentGone(time());
  pump();
  reconnect_.expires_after(backoff_.next());
  reconnect_.async_wait([this](const ErrorCode& stopped) {
    if (!stopped) connectAgent();
  });
}

// --- what the state machine says

// This process may have been stopped for any time at any place, so what others said meanwhile comes
// before what the clock says.
bool RelayIo::listen() {
  listening_ = true;
  const bool goesOn = readInput();
  if (goesOn && agent_) agent_->readNow();
  listening_ = false;
  return goesOn;
}

// What is read while listening is not newer than the step that follows.
TimePoint RelayIo::time() const {
  return listening_ ? now_ : Clock::now();
}

void RelayIo::pump() {
  if (listening_) return;
  now_ = Clock::now();
  if (now_ > due_ && now_ - due_ > kLate) state_.sleptUntil(now_);
  if (!listen()) return;
  const RelayOutput out = state_.step(now_);
  for (const std::string& note : out.notes) log::warning("relay.note", {{"text", note}});
  if (out.record) writeRecord(*out.record);
  queueLines(out.lines);
  writeOutput();
  if (agent_) {
    std::string text;
    for (const RelayMessage& message : out.messages) text += encode(message);
    agent_->send(text);
  }
  if (out.quit) return quit(1);
  armTimer();
  if (!out.dropAgent || !agent_) return;
  agent_->close();
  agentGone("silent for the hold time");
}

void RelayIo::armTimer() {
  const TimePoint now = Clock::now();
  due_ = std::max(state_.deadline(now), now + Millis(1));
  timer_.expires_at(due_);
  timer_.async_wait([this](const ErrorCode& stopped) {
    if (!stopped) pump();
  });
}

void RelayIo::writeRecord(const RelayRecord& record) {
  const Status written = replaceFile(recordPath_, encodeRecord(record), 0600);
  if (!written && !recordFails_) {
    log::error("relay.record_failed", {{"reason", written.error().message}});
  }
  recordFails_ = !written;
}

void RelayIo::quit(int status) {
  exitStatus_ = status;
  loop_.stop();
}

}  // namespace l4ward::bgp
