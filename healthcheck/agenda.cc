#include "healthcheck/agenda.h"

namespace l4ward::healthcheck {

Agenda::Key Agenda::add(TimePoint at, Appointment& appointment) {
  const Key key{at, next_++};
  entries_.emplace(key, &appointment);
  if (!keeping_) arm();
  return key;
}

// A wait for what has been cancelled since is left alone: it ends early and does nothing.
void Agenda::arm() {
  if (entries_.empty() || armedFor_ <= entries_.begin()->first.first) return;
  armedFor_ = entries_.begin()->first.first;
  timer_.expires_at(armedFor_);
  timer_.async_wait([this, turn = ++turn_](const ErrorCode& error) {
    if (!error && turn == turn_) keep();
  });
}

void Agenda::keep() {
  armedFor_ = TimePoint::max();
  keeping_ = true;
  const auto now = Clock::now();
  const auto before = next_;
  while (!entries_.empty()) {
    const auto [key, appointment] = *entries_.begin();
    if (key.first > now || key.second >= before) break;
    entries_.erase(entries_.begin());
    appointment->key_ = {};
    appointment->act_();
  }
  keeping_ = false;
  arm();
}

void Appointment::set(TimePoint at) {
  cancel();
  key_ = agenda_.add(at, *this);
}

void Appointment::cancel() {
  if (key_.second != 0) agenda_.remove(key_);
  key_ = {};
}

}  // namespace l4ward::healthcheck
