// Holds announcements back: until a virtual IP has been fit for a while, while it comes and goes
// too often, and for a while after a start. Withdrawals pass at once. Pure: time is an argument.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "agent/availability.h"
#include "base/clock.h"
#include "base/ip.h"
#include "config/site.h"

namespace l4ward::agent {

class Gate {
 public:
  void configure(Millis minHold, const config::Damping& damping);

  // Nothing that is not announced is announced before `until`.
  void closeUntil(TimePoint until) { closedUntil_ = until; }

  // `decisions`, with `keep` for those virtual IPs that may not be announced yet. Called with each
  // turn's decisions: it remembers since when a virtual IP is fit, and when it was withdrawn.
  using IsAnnounced = std::function<bool(const Prefix&)>;
  std::map<Prefix, Decision> pass(std::map<Prefix, Decision> decisions,
                                  const IsAnnounced& isAnnounced, TimePoint now);

  // When pass() would let something through that it held back just now.
  std::optional<TimePoint> nextDue() const { return nextDue_; }

  // Virtual IPs that damping holds down, for people to see.
  struct Held {
    Prefix vip;
    TimePoint until{};
    unsigned withdrawals = 0;
  };
  std::vector<Held> held(TimePoint now) const;

 private:
  struct History {
    std::optional<TimePoint> fitSince;
    std::deque<TimePoint> withdrawals;  // at most Damping::changes of them
    unsigned penalties = 0;             // how often in a row it was held down
    TimePoint heldUntil{};
    bool isHeld = false;  // and its release has not been told yet
  };

  void damp(const Prefix& vip, History& history, bool withdrawn, TimePoint now);

  Millis minHold_{0};
  config::Damping damping_;
  TimePoint closedUntil_{};
  std::map<Prefix, History> histories_;
  std::optional<TimePoint> nextDue_;
};

}  // namespace l4ward::agent
