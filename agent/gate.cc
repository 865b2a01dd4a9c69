#include "agent/gate.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace l4ward::agent {
namespace {

bool isFit(Decision decision) {
  return decision == Decision::announce || decision == Decision::depreference;
}

// `holdDown`, doubled for each time before this one.
Millis holdDownOf(const config::Damping& damping, unsigned times) {
  auto holdDown = damping.holdDown;
  for (unsigned i = 1; i < times && holdDown < damping.max; ++i) holdDown *= 2;
  return std::min(holdDown, damping.max);
}

}  // namespace

void Gate::configure(Millis minHold, const config::Damping& damping) {
  minHold_ = minHold;
  damping_ = damping;
}

std::map<Prefix, Decision> Gate::pass(std::map<Prefix, Decision> decisions,
                                      const IsAnnounced& isAnnounced, TimePoint now) {
  nextDue_.reset();
  const bool open = minHold_ == Millis::zero() && damping_.changes == 0 && now >= closedUntil_;
  if (open) {
    histories_.clear();
    return decisions;
  }
  std::erase_if(histories_, [&](const auto& entry) { return !decisions.contains(entry.first); });
  for (auto& [vip, decision] : decisions) {
    auto& history = histories_[vip];
    const bool announced = isAnnounced(vip);
    if (!isFit(decision)) history.fitSince.reset();
    if (isFit(decision) && !history.fitSince) history.fitSince = now;
    damp(vip, history, announced && decision == Decision::withdraw, now);
    if (announced || !isFit(decision)) continue;
    const auto until = std::max({closedUntil_, *history.fitSince + minHold_, history.heldUntil});
    if (now >= until) continue;
    decision = Decision::keep;
    nextDue_ = std::min(nextDue_.value_or(until), until);
  }
  return decisions;
}

void Gate::damp(const Prefix& vip, History& history, bool withdrawn, TimePoint now) {
  if (damping_.changes == 0) {
    history.withdrawals.clear();
    history.penalties = 0;
    history.heldUntil = {};
  }
  if (history.isHeld && now >= history.heldUntil) {
    history.isHeld = false;
    log::info("vip.released", {{"vip", vip.shortStr()}});
  }
  auto& withdrawals = history.withdrawals;
  while (!withdrawals.empty() && now - withdrawals.front() >= damping_.within) {
    withdrawals.pop_front();
  }
  if (withdrawals.empty() && now >= history.heldUntil + damping_.within) history.penalties = 0;
  if (!withdrawn || damping_.changes == 0) return;
  withdrawals.push_back(now);
  while (withdrawals.size() > damping_.changes) withdrawals.pop_front();
  if (withdrawals.size() < damping_.changes) return;
  const auto wait = holdDownOf(damping_, ++history.penalties);
  history.heldUntil = now + wait;
  history.isHeld = true;
  log::warning("vip.held_down", {{"vip", vip.shortStr()},
                                 {"for", formatDuration(wait)},
                                 {"withdrawals", withdrawals.size()},
                                 {"within", formatDuration(damping_.within)},
                                 {"times", history.penalties}});
}

std::vector<Gate::Held> Gate::held(TimePoint now) const {
  std::vector<Held> held;
  for (const auto& [vip, history] : histories_) {
    if (!history.isHeld || now >= history.heldUntil) continue;
    held.push_back({vip, history.heldUntil, static_cast<unsigned>(history.withdrawals.size())});
  }
  return held;
}

}  // namespace l4ward::agent
