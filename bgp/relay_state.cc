#include "bgp/relay_state.h"

#include <algorithm>
#include <utility>

namespace l4ward::bgp {
namespace {

constexpr const char* kStuckText = "ExaBGP does not answer and must be started again";

}  // namespace

RelayState::RelayState(TimePoint now, std::string instance,
                       const std::optional<RelayRecord>& record, bool recordLost)
    : instance_(std::move(instance)),
      recordLost_(recordLost),
      awake_(now),
      heard_(now),
      progress_(now) {
  if (!record) return;
  hold_ = std::clamp(record->hold, kMinHold, kMaxHold);
  // A time in the future is of another boot: the hold is over.
  heard_ = record->heard <= now ? record->heard : now - hold_;
  if (record->instance != instance_) {
    recorded_ = record->wanted.value_or(RouteSet{});
    return;
  }
  book_.restore(record->standing, record->doubtful);
  if (record->wanted) want(now, *record->wanted);
}

// --- inputs

// What was recorded does not come back to life when the agent is heard after the hold.
void RelayState::hear(TimePoint now) {
  if (recorded_ && now >= heard_ + hold_) recorded_->clear();
  heard_ = now;
}

void RelayState::agentConnected(TimePoint now) {
  hear(now);
  agentThere_ = true;
  generation_ = 0;
  RouteSet standing = book_.standing();
  for (auto& [key, attributes] : book_.doubtful()) standing.emplace(key, attributes);
  // What ExaBGP lost with its own death stands at the routers still (graceful restart).
  if (recorded_) standing.insert(recorded_->begin(), recorded_->end());
  out_.messages.emplace_back(Hello{instance_, std::move(standing), recordLost_});
  for (const auto& [neighbor, session] : sessions_) {
    if (session.up) out_.messages.emplace_back(SessionEvent{neighbor, "up", "up before"});
  }
  if (std::exchange(expired_, false)) {
    report("the agent is back; its routes were withdrawn when it was silent for the hold time");
  }
  if (stuck_) out_.messages.emplace_back(Stuck{kStuckText});
}

void RelayState::agentMessage(TimePoint now, const AgentMessage& message) {
  hear(now);
  if (const auto* routes = std::get_if<Routes>(&message)) return publish(now, *routes);
  if (std::holds_alternative<End>(message)) return replaced();
  out_.messages.emplace_back(Pong{});
}

void RelayState::agentGone(TimePoint) {
  if (!agentThere_) return;
  agentThere_ = false;
  generation_ = 0;
  recordDirty_ = true;  // with the time it was heard last
}

// The record stands for the routes until the next relay reads it.
void RelayState::replaced() {
  out_.notes.emplace_back("the agent wants a relay of its own version; ending");
  out_.quit = true;
}

void RelayState::publish(TimePoint now, const Routes& routes) {
  hold_ = std::clamp(routes.hold, kMinHold, kMaxHold);
  generation_ = routes.generation;
  synced_ = false;
  expired_ = false;
  want(now, routes.wanted);
}

void RelayState::want(TimePoint now, RouteSet wanted) {
  recorded_.reset();
  book_.want(wanted, now);
  wanted_ = std::move(wanted);
  recordDirty_ = true;
}

void RelayState::exabgpLine(TimePoint now, std::string_view line) {
  const Reply reply = parseReply(line);
  switch (reply.kind) {
    case Reply::Kind::done:
    case Reply::Kind::error:
      return answered(now, reply.kind == Reply::Kind::done);
    case Reply::Kind::session:
    case Reply::Kind::summarySession:
      return session(now, reply);
    case Reply::Kind::summaryHeader:
      return summaryHeader();
    case Reply::Kind::shutdown:
      out_.notes.push_back("ExaBGP ends");
      return;
    case Reply::Kind::text:
      return;
  }
}

void RelayState::answered(TimePoint now, bool done) {
  if (done && std::exchange(foreignDone_, false)) return;
  progress_ = now;
  stuck_ = false;
  if (barrier_ != Barrier::passed) {
    if (barrier_ == Barrier::header && done) barrier_ = Barrier::passed;
    return;
  }
  if (flight_.empty()) {
    out_.notes.push_back("ExaBGP answered what was not asked");
    return;
  }
  const Flight flight = std::move(flight_.front());
  flight_.pop_front();
  flightBytes_ -= flight.line.size() + 1;
  if (!done) return refused(now, flight);
  if (const auto* keys = std::get_if<Keys>(&flight.what)) {
    for (const RouteKey& key : *keys) book_.acknowledged(key, now);
  } else {
    sessions_[std::get<EndOfRib>(flight.what)].endOfRibDue = false;
  }
  if (flight_.empty()) recordDirty_ = true;
}

void RelayState::refused(TimePoint now, const Flight& flight) {
  recordDirty_ = true;
  const auto* keys = std::get_if<Keys>(&flight.what);
  if (!keys) {  // the session went down just now
    sessions_[std::get<EndOfRib>(flight.what)].notBefore = now + kEndOfRibRetry;
  } else if (keys->size() == 1) {
    book_.refused(keys->front(), now);
    report("ExaBGP refused: " + flight.line);
  } else {
    for (const RouteKey& key : *keys) book_.refusedTogether(key);
    out_.notes.push_back("ExaBGP refused a line with " + std::to_string(keys->size()) +
                         " routes; each goes alone now: " + flight.line.substr(0, 200));
  }
}

void RelayState::summaryHeader() {
  if (barrier_ == Barrier::sent) {
    barrier_ = Barrier::header;
  } else {
    foreignDone_ = true;
  }
}

void RelayState::session(TimePoint now, const Reply& reply) {
  Session& session = sessions_[reply.neighbor];
  const bool isSummary = reply.kind == Reply::Kind::summarySession;
  if (isSummary && session.up) return;
  session.up = reply.state == "up";
  session.endOfRibDue = session.up;
  session.notBefore = now;
  const std::string reason = isSummary ? "up before" : reply.reason;
  if (agentThere_) out_.messages.emplace_back(SessionEvent{reply.neighbor, reply.state, reason});
}

// --- time

void RelayState::sleptUntil(TimePoint now) {
  awake_ = now;
  progress_ = now;
}

TimePoint RelayState::holdEnd() const {
  return std::max(heard_ + hold_, awake_ + kAgentWait);
}

// A new ExaBGP stands empty. A living agent says what it wants; for a dead one the record speaks.
// Where there is nothing to announce, deciding means end-of-RIB, and routers drop what is stale: so
// an agent that is connected, but slow, is given more time.
TimePoint RelayState::decideAt(TimePoint now) const {
  const bool speaks = recorded_ && !recorded_->empty() && now < heard_ + hold_;
  return awake_ + (agentThere_ && !speaks ? kDecideTime : kAgentWait);
}

void RelayState::decide(TimePoint now) {
  if (wanted_ || !recorded_ || now < decideAt(now)) return;
  const bool holds = now < heard_ + hold_;
  if (agentThere_ && holds && !recorded_->empty()) {
    out_.notes.push_back("the agent is there but has not decided; announcing the recorded routes");
  }
  want(now, holds ? *std::exchange(recorded_, std::nullopt) : RouteSet{});
}

void RelayState::expire(TimePoint now) {
  if (!wanted_ || wanted_->empty() || now < holdEnd()) return;
  out_.notes.push_back("the agent was silent for " + formatDuration(hold_) +
                       "; withdrawing its routes");
  expired_ = true;
  want(now, {});
  if (!agentThere_) return;
  out_.dropAgent = true;  // it must speak anew: what it said is too old
}

void RelayState::watchAnswers(TimePoint now) {
  if (barrier_ == Barrier::passed) {
    if (now < progress_ + kAskTime) return;
    if (flight_.empty()) {
      progress_ = now;
    } else {
      report("ExaBGP did not answer for " + formatDuration(kAskTime) + "; asking again");
    }
    return askAgain();
  }
  if (!stuck_ && now >= progress_ + kAnswerTime) {
    stuck_ = true;
    out_.notes.emplace_back(kStuckText);
    if (agentThere_) out_.messages.emplace_back(Stuck{kStuckText});
  }
  if (now < progress_ + kBarrierTime) return;
  report("ExaBGP did not answer for " + formatDuration(kBarrierTime) + "; starting anew");
  out_.quit = true;
}

void RelayState::askAgain() {
  barrier_ = Barrier::due;
  if (flight_.empty()) return;
  book_.forgetFlight();
  flight_.clear();
  flightBytes_ = 0;
  recordDirty_ = true;
}

TimePoint RelayState::deadline(TimePoint now) const {
  TimePoint first = now + std::chrono::hours(1);
  const auto at = [&first](TimePoint when) { first = std::min(first, when); };
  if (wanted_ && !wanted_->empty()) at(holdEnd());
  if (!wanted_ && recorded_) at(decideAt(now));
  if (barrier_ != Barrier::passed) {
    at(progress_ + (stuck_ ? kBarrierTime : kAnswerTime));
    return first;
  }
  at(progress_ + kAskTime);
  if (!flight_.empty()) return first;
  if (const auto next = book_.nextAt()) at(*next);
  for (const auto& [neighbor, session] : sessions_) {
    if (session.up && session.endOfRibDue && session.notBefore > now) at(session.notBefore);
  }
  return first;
}

// --- output

RelayOutput RelayState::step(TimePoint now) {
  decide(now);
  expire(now);
  watchAnswers(now);
  if (barrier_ == Barrier::due) {
    barrier_ = Barrier::sent;
    out_.lines.emplace_back(kBarrierLine);
  }
  if (barrier_ == Barrier::passed && !sendEndOfRib(now)) sendRoutes(now);
  reportSync();
  writeRecord();
  return std::exchange(out_, RelayOutput{});
}

// True while one is due: it travels alone, because its "error" overtakes other answers.
bool RelayState::sendEndOfRib(TimePoint now) {
  if (!wanted_) return false;
  for (auto& [neighbor, session] : sessions_) {
    if (!session.up || !session.endOfRibDue || now < session.notBefore) continue;
    const bool alone = std::none_of(flight_.begin(), flight_.end(), [](const Flight& flight) {
      return std::holds_alternative<EndOfRib>(flight.what);
    });
    if (!alone) return true;
    if (!book_.quiet(neighbor, now)) continue;
    if (flight_.empty()) sendLine(now, Flight{neighbor, endOfRibLine(neighbor)});
    return true;
  }
  return false;
}

void RelayState::sendRoutes(TimePoint now) {
  // Half a window at a time, so that the record is written once for many.
  if (flight_.size() > kWindow / 2 || flightBytes_ > kWindowBytes / 2) return;
  RouteGroup group;
  const auto send = [this, now, &group](const RouteBook::Command& command) {
    if (group.add(command, kWindowBytes - flightBytes_)) return true;
    sendGroup(now, group);
    return flight_.size() < kWindow && group.add(command, kWindowBytes - flightBytes_);
  };
  book_.offer(
      now, [this](const IpAddress& neighbor) { return isUp(neighbor); }, send);
  sendGroup(now, group);
}

void RelayState::sendGroup(TimePoint now, RouteGroup& group) {
  Keys keys;
  std::string line = group.take(keys);
  if (!keys.empty()) sendLine(now, Flight{std::move(keys), std::move(line)});
}

void RelayState::sendLine(TimePoint now, Flight flight) {
  if (flight_.empty()) progress_ = now;
  flightBytes_ += flight.line.size() + 1;
  out_.lines.push_back(flight.line);
  flight_.push_back(std::move(flight));
  recordDirty_ = true;
}

void RelayState::reportSync() {
  if (!agentThere_ || generation_ == 0 || synced_ || !book_.settled()) return;
  synced_ = true;
  out_.messages.emplace_back(Synced{generation_});
}

void RelayState::writeRecord() {
  // Undecided, the record of the last ExaBGP stays: it is what a next relay has to decide from.
  if (!wanted_) return;
  const bool old = agentThere_ && heard_ >= recordedHeard_ + hold_ / 8;
  if (!recordDirty_ && !old) return;
  recordDirty_ = false;
  recordedHeard_ = heard_;
  RelayRecord record{instance_, wanted_, hold_, heard_, {}, {}};
  record.standing = book_.standing();
  record.doubtful = book_.doubtful();
  out_.record = std::move(record);
}

void RelayState::report(std::string what) {
  out_.notes.push_back(what);
  if (agentThere_) out_.messages.emplace_back(RelayError{std::move(what)});
}

bool RelayState::isUp(const IpAddress& neighbor) const {
  const auto found = sessions_.find(neighbor);
  return found != sessions_.end() && found->second.up;
}

}  // namespace l4ward::bgp
