// What is due when, for many at once and with one timer: a timer each costs every probe two waits
// that are cancelled. All on the io_context's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "base/asio.h"
#include "base/clock.h"

namespace l4ward::healthcheck {

class Appointment;

// Must outlive its appointments.
class Agenda {
 public:
  explicit Agenda(asio::io_context& io) : timer_(io) {}

 private:
  friend class Appointment;
  using Key = std::pair<TimePoint, std::uint64_t>;  // the number settles equal times

  Key add(TimePoint at, Appointment& appointment);
  void remove(const Key& key) { entries_.erase(key); }
  void arm();
  void keep();

  std::map<Key, Appointment*> entries_;
  std::uint64_t next_ = 1;
  asio::steady_timer timer_;
  TimePoint armedFor_ = TimePoint::max();
  std::uint64_t turn_ = 0;  // tells the timer's current wait from those that it replaced
  bool keeping_ = false;
};

class Appointment {
 public:
  Appointment(Agenda& agenda, std::function<void()> act) : agenda_(agenda), act_(std::move(act)) {}
  ~Appointment() { cancel(); }
  Appointment(const Appointment&) = delete;
  Appointment& operator=(const Appointment&) = delete;

  // `act` is called once at `at` or soon after, in place of what was set before; never from within
  // set(). What is set while others act has its turn when the io_context has seen to its sockets.
  void set(TimePoint at);
  void cancel();

 private:
  friend class Agenda;
  Agenda& agenda_;
  std::function<void()> act_;
  Agenda::Key key_{};  // number 0: not set
};

}  // namespace l4ward::healthcheck
