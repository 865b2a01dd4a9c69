#include "bgp/route_book.h"

namespace l4ward::bgp {
namespace {

// "done" means queued. ExaBGP empties its queue in the turn of its loop that follows; this much
// later it surely did, so an announcement never meets another change of its prefix in the queue.
constexpr Millis kSettle{50};
// A withdrawal that is refused this often is for a neighbor that ExaBGP does not know any more.
constexpr int kWithdrawTries = 3;

}  // namespace

void RouteBook::restore(const RouteSet& standing, const RouteSet& doubtful) {
  for (const auto& [key, attributes] : standing) entries_[key].standing = attributes;
  for (const auto& [key, attributes] : doubtful) {
    entries_[key].standing = attributes;
    entries_[key].sure = false;
  }
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    at->second.wanted = at->second.standing;
    if (!at->second.sure) todo_.insert(at->first);
  }
}

void RouteBook::want(const RouteSet& wanted, TimePoint now) {
  auto place = entries_.begin();
  for (const auto& [key, attributes] : wanted) place = entries_.try_emplace(place, key);
  auto found = wanted.begin();  // both are in the same order
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto current = at++;
    Entry& entry = current->second;
    const bool isWanted = found != wanted.end() && found->first == current->first;
    const bool same = isWanted ? entry.wanted == found->second : !entry.wanted;
    if (!same) {
      entry.wanted = isWanted ? std::optional(found->second) : std::nullopt;
      if (entry.refusals > 0) entry.notBefore = {};
      entry.refusals = 0;
      entry.alone = false;
      entry.backoff.reset();
    }
    if (isWanted) ++found;
    reconsider(current);
    const bool idle = !entry.wanted && !entry.standing && !entry.flight;
    if (idle && entry.notBefore <= now) entries_.erase(current);
  }
}

std::optional<RouteBook::Change> RouteBook::nextChange(const Entry& entry, bool up) {
  if (entry.sure && entry.standing == entry.wanted) return std::nullopt;
  if (!entry.wanted) return Change{false, *entry.standing};
  if (entry.standing && entry.standing != entry.wanted && !up) {
    return Change{false, *entry.standing};
  }
  return Change{true, *entry.wanted};
}

void RouteBook::reconsider(Entries::iterator at) {
  Entry& entry = at->second;
  if (entry.flight) return;
  if (nextChange(entry, true)) {
    todo_.insert(at->first);
    return;
  }
  todo_.erase(at->first);
}

bool RouteBook::offerAll(TimePoint now, const IsUp& isUp, const Send& send, bool announce) {
  for (auto next = todo_.begin(); next != todo_.end();) {
    const auto key = next++;
    Entry& entry = entries_.at(*key);
    const auto change = nextChange(entry, isUp(key->neighbor));
    if (!change || change->announce != announce) continue;
    // A withdrawal takes the place of what it names in the queue, so it need not wait for that.
    const bool waits = announce || entry.refusals > 0;
    if (waits && entry.notBefore > now) continue;
    if (!send(Command{*key, change->announce, change->attributes, entry.alone})) return false;
    entry.flight = change;
    ++inFlight_;
    todo_.erase(key);
  }
  return true;
}

void RouteBook::offer(TimePoint now, const IsUp& isUp, const Send& send) {
  if (offerAll(now, isUp, send, false)) offerAll(now, isUp, send, true);
}

void RouteBook::acknowledged(const RouteKey& key, TimePoint now) {
  const auto at = entries_.find(key);
  if (at == entries_.end() || !at->second.flight) return;
  Entry& entry = at->second;
  entry.standing = entry.flight->announce ? std::optional(entry.flight->attributes) : std::nullopt;
  entry.sure = true;
  entry.flight.reset();
  --inFlight_;
  entry.refusals = 0;
  entry.alone = false;
  entry.backoff.reset();
  entry.notBefore = now + kSettle;
  reconsider(at);
}

void RouteBook::refused(const RouteKey& key, TimePoint now) {
  const auto at = entries_.find(key);
  if (at == entries_.end() || !at->second.flight) return;
  Entry& entry = at->second;
  const bool wasWithdrawal = !entry.flight->announce;
  entry.flight.reset();
  --inFlight_;
  ++entry.refusals;
  if (wasWithdrawal && entry.refusals >= kWithdrawTries) {
    entry.standing.reset();
    entry.sure = true;
    entry.refusals = 0;
  }
  entry.notBefore = now + entry.backoff.next();
  reconsider(at);
}

void RouteBook::refusedTogether(const RouteKey& key) {
  const auto at = entries_.find(key);
  if (at == entries_.end() || !at->second.flight) return;
  at->second.flight.reset();
  --inFlight_;
  at->second.alone = true;
  reconsider(at);
}

void RouteBook::forgetFlight() {
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    Entry& entry = at->second;
    if (!entry.flight) continue;
    entry.standing = entry.flight->attributes;
    entry.sure = false;
    entry.flight.reset();
    reconsider(at);
  }
  inFlight_ = 0;
}

bool RouteBook::quiet(const IpAddress& neighbor, TimePoint now) const {
  for (auto at = entries_.lower_bound(RouteKey{neighbor, {}});
       at != entries_.end() && at->first.neighbor == neighbor; ++at) {
    if (at->second.flight) return false;
    const bool waits = at->second.refusals > 0 && at->second.notBefore > now;
    if (todo_.contains(at->first) && !waits) return false;
  }
  return true;
}

std::optional<TimePoint> RouteBook::nextAt() const {
  std::optional<TimePoint> first;
  for (const RouteKey& key : todo_) {
    const TimePoint at = entries_.at(key).notBefore;
    if (!first || at < *first) first = at;
  }
  return first;
}

RouteSet RouteBook::standing() const {
  RouteSet routes;
  for (const auto& [key, entry] : entries_) {
    if (entry.sure && !entry.flight && entry.standing) {
      routes.emplace_hint(routes.end(), key, *entry.standing);
    }
  }
  return routes;
}

RouteSet RouteBook::doubtful() const {
  RouteSet routes;
  for (const auto& [key, entry] : entries_) {
    if (entry.flight) {
      routes.emplace(key, entry.flight->attributes);
    } else if (!entry.sure) {
      routes.emplace(key, *entry.standing);
    }
  }
  return routes;
}

}  // namespace l4ward::bgp
