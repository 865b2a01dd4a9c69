// What the checks say: one state a check, fed by the probers' outcomes. Pure: time is an argument.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/model.h"
#include "healthcheck/schedule.h"
#include "healthcheck/state.h"

namespace l4ward::agent {

class HealthTable {
 public:
  // An answer that differed from the one before it; `at` and `latency` are its first one's.
  struct Answered {
    TimePoint at{};
    healthcheck::Answer answer = healthcheck::Answer::fail;
    healthcheck::FailureKind kind = healthcheck::FailureKind::none;
    std::string reason;
    std::chrono::microseconds latency{0};
  };
  using History = std::vector<Answered>;  // the newest last

  struct Entry {
    healthcheck::State state;
    healthcheck::Policy policy;
    TimePoint since{};                // when this check began
    TimePoint changedAt{};            // the last change of state.health; at first as `since`
    std::optional<TimePoint> cameUp;  // when it last came back, if it ever was away
    std::optional<TimePoint> fell;    // when it went from up to down, while it is down
    std::optional<unsigned> weight;   // an agent's, per cent
    std::string warning;
    // The last kMaxHistory of them, never changed in place, so that copies cost nothing; none: no
    // answer yet.
    std::shared_ptr<const History> history;
  };
  static constexpr std::size_t kMaxHistory = 8;

  // What one outcome did.
  struct Update {
    healthcheck::State before;
    healthcheck::State after;
    bool changed = false;  // health differs
    bool verdict = false;  // the first one
    bool localErrorChanged = false;
    bool weightChanged = false;
    bool warns = false;  // of something that it did not warn of before
    healthcheck::Pace paceBefore = healthcheck::Pace::fast;
    healthcheck::Pace pace = healthcheck::Pace::fast;
  };

  // The checks from now on. Known ones keep their state; a new one starts from what `assumed` says
  // of it; nothing is known of those that it does not name.
  void setChecks(const std::map<CheckId, Check>& checks, TimePoint now,
                 const std::map<CheckId, healthcheck::Health>& assumed);

  // nullopt: the outcome of a check that is no more.
  std::optional<Update> feed(const healthcheck::Outcome& outcome);

  const Entry* find(CheckId id) const;

  // Whether all of the server's checks pass, and nobody has taken it out.
  bool isUp(const Backend& backend) const;
  // Whether isUp() rests on answers and not on an assumption; after `deadline` without an answer
  // it counts as if it did. Nothing needs to be known of one that people have taken out.
  bool isVerified(const Backend& backend, TimePoint now, Millis deadline) const;
  // When a server that is up has been so for its warm-up; nothing if it has no need of one.
  std::optional<TimePoint> warmAt(const Backend& backend) const;
  // Up, and warm: new connections may go there.
  bool isServing(const Backend& backend, TimePoint now) const;
  // As isServing, but a server whose checks fell and had been up counts as up still.
  bool wasServing(const Backend& backend, TimePoint now) const;
  // When isServing() or isVerified() changes without an outcome: a warm-up or `deadline` ends.
  // TimePoint::max(): never.
  TimePoint changesAt(const Backend& backend, TimePoint now, Millis deadline) const;
  // The weight that it is to have: the configured one, or what agents make of it, in quarters.
  std::uint32_t weight(const Backend& backend) const;

  // Whether every check that is a sign of life went down, all within the time that one takes to
  // notice. With checks of one address only nothing can be said.
  bool allFellTogether(const std::map<CheckId, Check>& checks) const;

 private:
  std::unordered_map<CheckId, Entry> entries_;
};

// How soon a check in this state is to be made again.
healthcheck::Pace paceOf(const healthcheck::State& state);

}  // namespace l4ward::agent
