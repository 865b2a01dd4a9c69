#include "agent/health.h"

namespace l4ward::agent {

using healthcheck::Health;

void HealthTable::setChecks(const std::map<CheckId, Check>& checks, TimePoint now,
                            const std::map<CheckId, Health>& assumed) {
  std::map<CheckId, Entry> next;
  for (const auto& [id, check] : checks) {
    if (const auto known = entries_.find(id); known != entries_.end()) {
      next.insert(*known);
    } else {
      const auto found = assumed.find(id);
      const auto health = found == assumed.end() ? Health::unknown : found->second;
      next[id] = {healthcheck::State::assumed(health), check.policy, now};
    }
  }
  entries_ = std::move(next);
}

std::optional<HealthTable::Update> HealthTable::feed(const healthcheck::Outcome& outcome) {
  const auto found = entries_.find(outcome.target);
  if (found == entries_.end()) return std::nullopt;
  auto& entry = found->second;
  const auto step = healthcheck::step(entry.state, outcome.answer, entry.policy);
  const Update update{entry.state,
                      step.state,
                      step.changed,
                      step.verdict,
                      entry.state.pending() != step.state.pending(),
                      entry.state.localError != step.state.localError};
  entry.state = step.state;
  return update;
}

const HealthTable::Entry* HealthTable::find(CheckId id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

bool HealthTable::isUp(const std::optional<CheckId>& id) const {
  if (!id) return true;
  const auto* entry = find(*id);
  return entry && entry->state.health == Health::up;
}

bool HealthTable::isVerified(const std::optional<CheckId>& id, TimePoint now,
                             Millis deadline) const {
  if (!id) return true;
  const auto* entry = find(*id);
  return entry && (entry->state.verified || now - entry->since >= deadline);
}

}  // namespace l4ward::agent
