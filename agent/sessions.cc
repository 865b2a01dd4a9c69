#include "agent/sessions.h"

#include <algorithm>

#include "base/log.h"

namespace l4ward::agent {
namespace {

using State = Sessions::State;

// Longer than a restart of ExaBGP takes.
constexpr Millis kPatience{10000};

std::optional<State> stateOf(std::string_view text) {
  for (const auto state : {State::connected, State::up, State::down}) {
    if (text == toString(state)) return state;
  }
  return std::nullopt;
}

// A neighbor that is not there is tried every few seconds, for ever: that is told once.
log::Level levelOf(const Sessions::Session& before, const Sessions::Session& after) {
  if (after.state == State::up) return log::Level::info;
  const bool again = before.state != State::up && before.reason == after.reason;
  if (after.state == State::connected || again) return log::Level::debug;
  return log::Level::warning;
}

}  // namespace

std::string_view toString(State state) {
  switch (state) {
    case State::connected:
      return "connected";
    case State::up:
      return "up";
    case State::down:
      return "down";
    case State::unknown:
      break;
  }
  return "unknown";
}

void Sessions::setNeighbors(const std::set<IpAddress>& neighbors, TimePoint now) {
  std::erase_if(sessions_, [&](const auto& entry) { return !neighbors.contains(entry.first); });
  for (const auto& neighbor : neighbors)
    sessions_.try_emplace(neighbor, Session{State::unknown, now, {}});
}

void Sessions::heard(const IpAddress& neighbor, std::string_view text, const std::string& reason,
                     TimePoint now) {
  const auto found = sessions_.find(neighbor);
  const auto state = stateOf(text);
  if (found == sessions_.end() || !state) return;
  auto& session = found->second;
  const auto before = session;
  if ((before.state == State::up) != (*state == State::up)) session.since = now;
  session.state = *state;
  if (*state != State::connected) session.reason = reason;
  log::event(levelOf(before, session), "bgp.session_" + std::string(text),
             {{"neighbor", neighbor.str()}, {"reason", reason}});
}

void Sessions::lost(TimePoint now) {
  for (auto& [neighbor, session] : sessions_) {
    if (session.state != State::unknown) session = {State::unknown, now, "the relay is gone"};
  }
}

void Sessions::judge(bool announcesAny, TimePoint now) {
  const bool heard = std::ranges::any_of(
      sessions_, [](const auto& entry) { return entry.second.state == State::up; });
  if (heard || !announcesAny) {
    unheardSince_.reset();
    if (unheard_)
      log::info("bgp.heard", {{"because", heard ? "a session is up" : "nothing is announced"}});
    unheard_ = false;
    return;
  }
  if (!unheardSince_) unheardSince_ = now;
  if (unheard_ || now - *unheardSince_ < kPatience) return;
  unheard_ = true;
  log::error("bgp.unheard", {{"neighbors", sessions_.size()},
                             {"for", formatDuration(kPatience)},
                             {"effect", "no router hears what is announced"}});
}

std::optional<TimePoint> Sessions::nextDue() const {
  if (unheard_ || !unheardSince_) return std::nullopt;
  return *unheardSince_ + kPatience;
}

}  // namespace l4ward::agent
