// Talks to the agent on its control socket. Blocking, with a deadline for each answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "control/request.h"

namespace l4ward::ctl {

inline constexpr std::size_t kMaxAnswer = 64 << 20;

// Refusals that only this side makes: there is no answer of the agent.
inline constexpr const char* kNoSocket = "no-socket";          // nothing at this path
inline constexpr const char* kNotListening = "not-listening";  // a socket, but nobody behind it
inline constexpr const char* kNotAllowed = "not-allowed";
inline constexpr const char* kUnreachable = "unreachable";  // any other reason
inline constexpr const char* kTimeout = "timeout";
inline constexpr const char* kClosed = "closed";            // before the answer was whole
inline constexpr const char* kInterrupted = "interrupted";  // Options::stop became readable
inline constexpr const char* kBadReply = "bad-reply";       // parseReply
bool isUnreachable(const control::Refusal& refusal);        // one of the above

class Client {
 public:
  struct Options {
    std::string path;
    Millis timeout{15000};  // of connecting, and of each answer
    int stop = -1;          // a descriptor: whatever waits ends when it becomes readable
  };

  // The refusal says which socket, whether an agent runs there, and what to type next.
  static tl::expected<Client, control::Refusal> connect(const Options& options);
  // Sends it and waits for the answer. After a refusal of isUnreachable() the client is of no use.
  control::Reply ask(const control::Request& request);
  // Asks for the events behind number `after`, and for those that happen; next() has them. The
  // connection is for nothing else from then on.
  std::optional<control::Refusal> follow(std::uint64_t after);
  // The next event that is followed: {"version": 1, "event": {…}}. Waits for as long as it takes.
  control::Reply next();

 private:
  Client(UniqueFd fd, Options options) : fd_(std::move(fd)), options_(std::move(options)) {}

  std::optional<control::Refusal> send(std::string_view line, TimePoint deadline);
  // A line without its break.
  tl::expected<std::string, control::Refusal> receive(std::optional<TimePoint> deadline);
  std::optional<control::Refusal> wait(short events, std::optional<TimePoint> deadline) const;

  UniqueFd fd_;
  Options options_;
  std::string data_;         // received, not handed out yet
  std::size_t scanned_ = 0;  // no line break before this
};

// Connects, asks and closes.
control::Reply askOnce(const Client::Options& options, const control::Request& request);

// What to say when connect(2) to `path` failed with `code`; looks at the file system for it.
control::Refusal connectRefusal(const std::string& path, int code);

}  // namespace l4ward::ctl
