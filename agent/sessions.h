// The BGP sessions as the relay tells of them, and whether any router can hear what is announced.
// Pure: time is an argument.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ip.h"

namespace l4ward::agent {

class Sessions {
 public:
  enum class State {
    unknown,    // nothing was heard of it since the relay connected
    connected,  // TCP only
    up,
    down,
  };
  struct Session {
    State state = State::unknown;
    TimePoint since{};   // since when it is up, or not
    std::string reason;  // why it is not
  };

  // The neighbors from now on. Known ones stay as they are.
  void setNeighbors(const std::set<IpAddress>& neighbors, TimePoint now);

  // The relay's word. Those of neighbors or states that nobody knows are left out.
  void heard(const IpAddress& neighbor, std::string_view state, const std::string& reason,
             TimePoint now);
  // Nothing is known any more: the relay is gone, perhaps with ExaBGP. The next one tells anew.
  void lost(TimePoint now);

  // To be called in every turn. Logs, once each, when something is announced and no session has
  // been up for a while, and when that is over.
  void judge(bool announcesAny, TimePoint now);
  // When judge() would have something to tell.
  std::optional<TimePoint> nextDue() const;

  bool isUnheard() const { return unheard_; }
  const std::map<IpAddress, Session>& all() const { return sessions_; }

 private:
  std::map<IpAddress, Session> sessions_;
  std::optional<TimePoint> unheardSince_;
  bool unheard_ = false;
};

std::string_view toString(Sessions::State state);  // "up"

}  // namespace l4ward::agent
