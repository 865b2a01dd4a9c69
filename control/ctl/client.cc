#include "control/ctl/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "base/result.h"
#include "control/json_text.h"

namespace l4ward::ctl {

using control::Refusal;
using control::Reply;

namespace {

// How often a socket whose queue is full is tried again.
constexpr Millis kRetry{20};

std::string dumpTimeout(Millis timeout) {
  return "the agent did not answer within " + formatDuration(timeout);
}

Refusal timedOut(Millis timeout) {
  return {kTimeout, dumpTimeout(timeout), "journalctl -u l4ward -n 50"};
}

Refusal ended() {
  return {kClosed, "the agent ended the connection before its answer was whole",
          "journalctl -u l4ward -n 50"};
}

}  // namespace

bool isUnreachable(const Refusal& refusal) {
  static constexpr std::array<std::string_view, 8> kCodes{kNoSocket,    kNotListening, kNotAllowed,
                                                          kUnreachable, kTimeout,      kClosed,
                                                          kInterrupted, kBadReply};
  return std::find(kCodes.begin(), kCodes.end(), refusal.code) != kCodes.end();
}

tl::expected<Client, Refusal> Client::connect(const Options& options) {
  sockaddr_un address{};
  if (options.path.empty() || options.path.size() >= sizeof address.sun_path) {
    return tl::unexpected(Refusal{kUnreachable,
                                  "'" + options.path + "' is no path of a socket: 1 to " +
                                      std::to_string(sizeof address.sun_path - 1) + " bytes",
                                  ""});
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, options.path.data(), options.path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return tl::unexpected(connectRefusal(options.path, errno));
  const auto deadline = Clock::now() + options.timeout;
  while (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    // EAGAIN: others wait to be accepted, as many as the socket takes (unix(7)).
    if (errno != EAGAIN && errno != EINTR) {
      return tl::unexpected(connectRefusal(options.path, errno));
    }
    if (Clock::now() >= deadline) return tl::unexpected(timedOut(options.timeout));
    std::this_thread::sleep_for(kRetry);
  }
  return Client(std::move(fd), options);
}

std::optional<Refusal> Client::wait(short events, std::optional<TimePoint> deadline) const {
  for (;;) {
    int left = -1;
    if (deadline) {
      const auto rest = std::chrono::ceil<Millis>(*deadline - Clock::now()).count();
      if (rest <= 0) return timedOut(options_.timeout);
      left = static_cast<int>(std::min<std::int64_t>(rest, 3'600'000));
    }
    std::array<pollfd, 2> fds{{{fd_.get(), events, 0}, {options_.stop, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), left) < 0 && errno != EINTR) {
      return Refusal{kUnreachable, std::string("poll: ") + std::strerror(errno), ""};
    }
    if (fds[1].revents != 0) return Refusal{kInterrupted, "interrupted", ""};
    if (fds[0].revents != 0) return std::nullopt;
  }
}

std::optional<Refusal> Client::send(std::string_view line, TimePoint deadline) {
  while (!line.empty()) {
    const auto sent = ::send(fd_.get(), line.data(), line.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      line.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    // Who refuses a request may answer and close before it has read all of it.
    if (errno == EPIPE || errno == ECONNRESET) return std::nullopt;
    if (errno != EAGAIN && errno != EINTR) {
      return Refusal{kUnreachable, std::string("sending: ") + std::strerror(errno), ""};
    }
    if (auto refusal = wait(POLLOUT, deadline)) return refusal;
  }
  return std::nullopt;
}

tl::expected<std::string, Refusal> Client::receive(std::optional<TimePoint> deadline) {
  std::vector<char> buffer(64 << 10);
  for (;;) {
    const auto end = data_.find('\n', scanned_);
    if (end != data_.npos) {
      auto line = data_.substr(0, end);
      data_.erase(0, end + 1);
      scanned_ = 0;
      return line;
    }
    scanned_ = data_.size();
    if (data_.size() > kMaxAnswer) {
      return tl::unexpected(Refusal{
          kBadReply, "the answer is longer than " + std::to_string(kMaxAnswer >> 20) + " MiB", ""});
    }
    if (auto refusal = wait(POLLIN, deadline)) return tl::unexpected(*refusal);
    const auto got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got > 0) {
      data_.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      return tl::unexpected(ended());
    }
  }
}

Reply Client::ask(const control::Request& request) {
  const auto deadline = Clock::now() + options_.timeout;
  if (const auto refusal = send(control::encode(request) + "\n", deadline)) {
    return tl::unexpected(*refusal);
  }
  const auto line = receive(deadline);
  return line ? control::parseReply(*line) : tl::unexpected(line.error());
}

std::optional<Refusal> Client::follow(std::uint64_t after) {
  return send(control::encode(control::EventsRequest{after, true}) + "\n",
              Clock::now() + options_.timeout);
}

Reply Client::next() {
  const auto line = receive(std::nullopt);
  if (!line) return tl::unexpected(line.error());
  auto event = control::parseJson(*line);
  if (event && event->is_object() && event->contains("event")) return *std::move(event);
  return control::parseReply(*line);  // what ended it
}

Reply askOnce(const Client::Options& options, const control::Request& request) {
  auto client = Client::connect(options);
  if (!client) return tl::unexpected(client.error());
  return client->ask(request);
}

}  // namespace l4ward::ctl
