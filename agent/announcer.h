// Which routes stand, and which should: decisions per virtual IP in, route sets out.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/availability.h"
#include "agent/route_policy.h"
#include "bgp/route.h"
#include "config/site.h"

namespace l4ward::agent {

class Announcer {
 public:
  // Publishes a whole set; returns its generation (bgp::RelayLink::publish).
  using Publish = std::function<std::uint64_t(const bgp::RouteSet&)>;

  explicit Announcer(Publish publish) : publish_(std::move(publish)) {}

  // No policy: whatever stands is withdrawn, and nothing announced any more. `services`: of all
  // virtual IPs.
  void setPolicy(std::optional<config::Bgp> policy, std::map<Prefix, VipServices> services);

  // The relay told what stands. Only the first word counts: it is what an earlier agent left;
  // afterwards this agent knows better. Whether this was it.
  bool relayConnected(const bgp::RouteSet& standing);
  void synced(std::uint64_t generation);

  // Publishes what `decisions` make of the current routes; VIPs without a decision are withdrawn.
  // Does nothing before the relay was heard, or after withdrawAll(). What has been decided before
  // costs nothing.
  // `because` is asked for the log line of each VIP that changes.
  using Because = std::function<std::string(const Prefix&)>;
  void update(const std::map<Prefix, Decision>& decisions, const Because& because);
  // The same of what takes routes away or makes them worse, and no more.
  void worsen(const std::map<Prefix, Decision>& decisions, const Because& because);

  // From the next update() or worsen() on, what stands is announced as of a node that is about to
  // stop, and nothing else is any more.
  void setDraining();
  // The same of these virtual IPs, as long as people say so; they may also be announced anew.
  void setDrained(std::set<Prefix> vips);
  // The last word of an agent that stops.
  void withdrawAll();

  bool isAnnounced(const Prefix& vip) const { return standing_.contains(vip); }
  // As what it is announced; nothing: it is not.
  std::optional<Standing> standing(const Prefix& vip) const;
  bool announcesAny() const { return !standing_.empty(); }
  // ExaBGP acknowledged that no neighbor has a route to it.
  bool isWithdrawn(const Prefix& vip) const;
  // ExaBGP acknowledged all that was ever published.
  bool isSynced() const { return relayKnown_ && synced_ >= generation_; }

  // For people to see.
  struct Vip {
    std::set<IpAddress> neighbors;  // that have a route to it; at least one
    Standing as = Standing::normal;
  };
  const std::map<Prefix, Vip>& vips() const { return standing_; }
  std::uint64_t generation() const { return generation_; }
  // The virtual IPs whose routes have changed since the last call.
  std::set<Prefix> takeChanged() { return std::exchange(changed_, {}); }

 private:
  struct Change {
    Prefix vip;
    std::optional<Standing> was;
    std::optional<Standing> is;
  };

  void afresh();
  std::map<Prefix, Decision> newOf(const std::map<Prefix, Decision>& decisions) const;
  bool replace(const Prefix& vip, const bgp::RouteSet& routes);
  Standing standingAfter(const Prefix& vip, Decision decision, std::optional<Standing> was) const;
  void withdrawEverything(const Because& because);
  void publish(const std::vector<Change>& changes, const Because& because);
  static void tell(const Change& change, const std::string& because);

  Publish publish_;
  std::optional<config::Bgp> policy_;
  std::map<Prefix, VipServices> services_;
  bgp::RouteSet current_;
  std::map<Prefix, Vip> standing_;      // current_ by VIP
  std::set<Prefix> changed_;            // for takeChanged()
  std::map<Prefix, Decision> decided_;  // what current_ was made of, but for `keep`
  // Something else than decisions changed: all are to be looked at, and published.
  bool afresh_ = true;
  std::map<Prefix, std::uint64_t> withdrawnAt_;  // generation that took the VIP's routes away
  std::uint64_t generation_ = 0;
  std::uint64_t synced_ = 0;
  bool relayKnown_ = false;
  Leaving leaving_;
  bool stopped_ = false;
};

}  // namespace l4ward::agent
