#include "agent/health.h"

#include <algorithm>
#include <set>

namespace l4ward::agent {

using healthcheck::Health;
using healthcheck::Pace;

Pace paceOf(const healthcheck::State& state) {
  if (state.pending() || !state.verified) return Pace::fast;
  return state.health == Health::down ? Pace::down : Pace::normal;
}

namespace {

void remember(HealthTable::Entry& entry, const healthcheck::Outcome& outcome) {
  if (entry.history) {
    const auto& last = entry.history->back();
    if (last.answer == outcome.answer && last.kind == outcome.kind &&
        last.reason == outcome.reason) {
      return;
    }
  }
  auto history = entry.history ? *entry.history : HealthTable::History{};
  if (history.size() == HealthTable::kMaxHistory) history.erase(history.begin());
  history.push_back({outcome.at, outcome.answer, outcome.kind, outcome.reason, outcome.latency});
  entry.history = std::make_shared<const HealthTable::History>(std::move(history));
}

}  // namespace

void HealthTable::setChecks(const std::map<CheckId, Check>& checks, TimePoint now,
                            const std::map<CheckId, Health>& assumed) {
  std::unordered_map<CheckId, Entry> next;
  for (const auto& [id, check] : checks) {
    if (const auto known = entries_.find(id); known != entries_.end()) {
      next.insert(*known);
    } else {
      const auto found = assumed.find(id);
      const auto health = found == assumed.end() ? Health::unknown : found->second;
      auto& entry = next[id];
      entry.state = healthcheck::State::assumed(health);
      entry.policy = check.policy;
      entry.since = entry.changedAt = now;
    }
  }
  entries_ = std::move(next);
}

std::optional<HealthTable::Update> HealthTable::feed(const healthcheck::Outcome& outcome) {
  const auto found = entries_.find(outcome.target);
  if (found == entries_.end()) return std::nullopt;
  auto& entry = found->second;
  const auto before = entry.state;
  const auto step = healthcheck::step(before, outcome.answer, entry.policy);
  entry.state = step.state;
  remember(entry, outcome);
  Update update;
  update.before = before;
  update.after = step.state;
  update.changed = step.changed;
  update.verdict = step.verdict;
  update.localErrorChanged = before.localError != step.state.localError;
  update.paceBefore = paceOf(before);
  update.pace = paceOf(step.state);
  if (step.changed) {
    entry.changedAt = outcome.at;
    const bool isUp = step.state.health == Health::up;
    if (isUp && before.health != Health::unknown) entry.cameUp = outcome.at;
    const bool fell = step.state.health == Health::down && before.health == Health::up;
    entry.fell = fell ? std::optional(outcome.at) : std::nullopt;
  }
  if (outcome.answer == healthcheck::Answer::pass) {
    update.weightChanged = entry.weight != outcome.weight;
    entry.weight = outcome.weight;
  }
  if (outcome.answer != healthcheck::Answer::localError) {
    update.warns = !outcome.warning.empty() && outcome.warning != entry.warning;
    entry.warning = outcome.warning;
  }
  return update;
}

const HealthTable::Entry* HealthTable::find(CheckId id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

bool HealthTable::isUp(const Backend& backend) const {
  if (backend.override) return false;
  return std::ranges::all_of(backend.checks, [this](CheckId id) {
    const auto* entry = find(id);
    return entry && entry->state.health == Health::up;
  });
}

bool HealthTable::isVerified(const Backend& backend, TimePoint now, Millis deadline) const {
  if (backend.override) return true;
  return std::ranges::all_of(backend.checks, [&](CheckId id) {
    const auto* entry = find(id);
    return entry && (entry->state.verified || now - entry->since >= deadline);
  });
}

std::optional<TimePoint> HealthTable::warmAt(const Backend& backend) const {
  std::optional<TimePoint> at;
  if (backend.warmUp == Millis::zero()) return at;
  for (const auto id : backend.checks) {
    const auto* entry = find(id);
    if (entry && entry->cameUp) at = std::max(at, std::optional(*entry->cameUp + backend.warmUp));
  }
  return at;
}

bool HealthTable::isServing(const Backend& backend, TimePoint now) const {
  return isUp(backend) && warmAt(backend).value_or(now) <= now;
}

bool HealthTable::wasServing(const Backend& backend, TimePoint now) const {
  if (backend.override) return false;
  const bool wasUp = std::ranges::all_of(backend.checks, [this](CheckId id) {
    const auto* entry = find(id);
    return entry && (entry->state.health == Health::up || entry->fell);
  });
  return wasUp && warmAt(backend).value_or(now) <= now;
}

TimePoint HealthTable::changesAt(const Backend& backend, TimePoint now, Millis deadline) const {
  auto at = warmAt(backend).value_or(now);
  if (at <= now) at = TimePoint::max();
  for (const auto id : backend.checks) {
    const auto* entry = find(id);
    if (!entry || entry->state.verified || entry->since + deadline <= now) continue;
    at = std::min(at, entry->since + deadline);
  }
  return at;
}

std::uint32_t HealthTable::weight(const Backend& backend) const {
  if (!backend.agentWeights) return backend.weight;
  unsigned least = 100;
  for (const auto id : backend.checks) {
    const auto* entry = find(id);
    if (entry && entry->weight) least = std::min(least, *entry->weight);
  }
  const auto quarters = std::clamp((least + 12) / 25, 1U, 4U);
  return std::max(1U, backend.weight * quarters / 4);
}

bool HealthTable::allFellTogether(const std::map<CheckId, Check>& checks) const {
  std::set<IpAddress> addresses;
  std::optional<TimePoint> first;
  std::optional<TimePoint> last;
  Millis patience{0};
  for (const auto& [id, check] : checks) {
    if (!check.signOfLife) continue;
    const auto* entry = find(id);
    if (!entry || !entry->fell) return false;
    addresses.insert(check.job.probe.target.address);
    first = first ? std::min(*first, *entry->fell) : *entry->fell;
    last = last ? std::max(*last, *entry->fell) : *entry->fell;
    const auto& job = check.job;
    patience = std::max(
        patience, job.interval + job.probe.timeout +
                      (check.policy.fall - 1) * std::max(job.fastInterval, job.probe.timeout));
  }
  return addresses.size() > 1 && *last - *first <= patience;
}

}  // namespace l4ward::agent
