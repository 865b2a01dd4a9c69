// What the checks say: one state a check, fed by the probers' outcomes. Pure: time is an argument.
#pragma once

#include <map>
#include <optional>

#include "agent/model.h"
#include "healthcheck/state.h"

namespace l4ward::agent {

class HealthTable {
 public:
  struct Entry {
    healthcheck::State state;
    healthcheck::Policy policy;
    TimePoint since{};  // when this check began
  };

  // What one outcome did.
  struct Update {
    healthcheck::State before;
    healthcheck::State after;
    bool changed = false;  // health differs
    bool verdict = false;  // the first one
    bool pendingChanged = false;
    bool localErrorChanged = false;
  };

  // The checks from now on. Known ones keep their state; a new one starts from what `assumed` says
  // of it; nothing is known of those that it does not name.
  void setChecks(const std::map<CheckId, Check>& checks, TimePoint now,
                 const std::map<CheckId, healthcheck::Health>& assumed);

  // nullopt: the outcome of a check that is no more.
  std::optional<Update> feed(const healthcheck::Outcome& outcome);

  const Entry* find(CheckId id) const;

  // Whether new connections may go there. No check: yes.
  bool isUp(const std::optional<CheckId>& id) const;
  // Whether isUp() rests on an answer and not on an assumption; after `deadline` without an answer
  // it counts as if it did.
  bool isVerified(const std::optional<CheckId>& id, TimePoint now, Millis deadline) const;

 private:
  std::map<CheckId, Entry> entries_;
};

}  // namespace l4ward::agent
