// A server on all of 127.0.0.0/8 whose addresses answer HTTP now this way, now that way.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "base/clock.h"
#include "base/ip.h"
#include "base/unique_fd.h"

namespace l4ward::bench {

enum class Mood : std::uint8_t { ok, unavailable, drain, reset, hang };  // 200, 503, 404, ...
inline constexpr std::size_t moods = 5;

// Target i is 127.1.(i / 250).(i % 250 + 1); at most 60000 of them.
IpAddress targetAddress(std::size_t index);

// What a target does at a time since the start. Each changes its mind every 3 to 8 seconds, at
// times of its own, and in one of five of these spells every 400 ms. Depends on nothing but the
// arguments.
Mood moodOf(std::uint64_t seed, std::size_t index, Millis sinceStart);

// On a thread of its own. Its memory does not grow: a connection's mood is kept in epoll.
class MoodyServer {
 public:
  // Throws std::system_error.
  explicit MoodyServer(std::uint64_t seed);
  ~MoodyServer();
  MoodyServer(const MoodyServer&) = delete;
  MoodyServer& operator=(const MoodyServer&) = delete;

  std::uint16_t port() const { return port_; }
  // Connections accepted so far.
  std::uint64_t met(Mood mood) const { return met_[static_cast<std::size_t>(mood)]; }

 private:
  void serve();
  void acceptAll();
  void welcome(UniqueFd connection);

  std::uint64_t seed_;
  TimePoint start_ = Clock::now();
  UniqueFd listener_;
  UniqueFd epoll_;
  UniqueFd stop_;
  std::uint16_t port_ = 0;
  std::array<std::atomic<std::uint64_t>, moods> met_{};
  std::thread thread_;
};

}  // namespace l4ward::bench
