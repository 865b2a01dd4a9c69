// For every (neighbor, prefix): what is wanted, what stands at ExaBGP, and the one change that is
// under way. Says which command comes next. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "base/backoff.h"
#include "base/clock.h"
#include "bgp/route.h"

namespace l4ward::bgp {

class RouteBook {
 public:
  struct Command {
    RouteKey key;
    bool announce = false;
    Attributes attributes;
    bool alone = false;  // it was in a line that ExaBGP refused, and is to have one of its own
  };

  // After a restart of the relay: `standing` was acknowledged; `doubtful` was in flight, so it is
  // asked for again (ExaBGP sends nothing for an announcement it has already).
  void restore(const RouteSet& standing, const RouteSet& doubtful);

  void want(const RouteSet& wanted, TimePoint now);

  // Offers the commands that may be sent at `now`, withdrawals first, until `send` says that there
  // is no room; those it took are in flight. `isUp` tells whether the neighbor's session is
  // established: changed attributes of a route at a session that is down go as withdraw and
  // announce, because 4.2 may send its queue out of order.
  using IsUp = std::function<bool(const IpAddress&)>;
  using Send = std::function<bool(const Command&)>;
  void offer(TimePoint now, const IsUp& isUp, const Send& send);

  // Answers for a command in flight.
  void acknowledged(const RouteKey& key, TimePoint now);
  void refused(const RouteKey& key, TimePoint now);  // tried again with backoff
  void refusedTogether(const RouteKey& key);         // in a line with others: tried again alone
  // No answer will come: everything in flight is doubtful and will be asked for again.
  void forgetFlight();

  // Nothing left to change and nothing in flight.
  bool settled() const { return todo_.empty() && inFlight_ == 0; }
  // Nothing of this neighbor is in flight or waits to be sent, but for what ExaBGP refused.
  bool quiet(const IpAddress& neighbor, TimePoint now) const;
  // When a command waits for time to pass only: when that is.
  std::optional<TimePoint> nextAt() const;

  RouteSet standing() const;
  RouteSet doubtful() const;

 private:
  struct Change {
    bool announce = false;
    Attributes attributes;
  };
  struct Entry {
    std::optional<Attributes> wanted;
    std::optional<Attributes> standing;
    bool sure = true;              // of `standing`; if not, it may also be gone
    std::optional<Change> flight;  // sent, not answered
    TimePoint notBefore{};
    Backoff backoff{Millis(100), Millis(5000)};
    int refusals = 0;
    bool alone = false;
  };
  using Entries = std::map<RouteKey, Entry>;

  static std::optional<Change> nextChange(const Entry& entry, bool up);
  bool offerAll(TimePoint now, const IsUp& isUp, const Send& send, bool announce);
  void reconsider(Entries::iterator at);

  Entries entries_;
  std::set<RouteKey> todo_;  // entries that differ and are not in flight
  std::size_t inFlight_ = 0;
};

}  // namespace l4ward::bgp
