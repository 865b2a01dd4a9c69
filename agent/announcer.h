// Which routes stand, and which should: decisions per virtual IP in, route sets out.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include "agent/availability.h"
#include "bgp/route.h"
#include "config/site.h"

namespace l4ward::agent {

// The routes for `decisions`: announced ones with the attributes of `policy`, kept ones as they are
// in `current`, nothing for the others. An IPv4 VIP goes to IPv4 neighbors, IPv6 to IPv6. Pure.
bgp::RouteSet wantedRoutes(const std::map<Prefix, Decision>& decisions, const config::Bgp& policy,
                           const bgp::RouteSet& current);

class Announcer {
 public:
  // Publishes a whole set; returns its generation (bgp::RelayLink::publish).
  using Publish = std::function<std::uint64_t(const bgp::RouteSet&)>;

  explicit Announcer(Publish publish) : publish_(std::move(publish)) {}

  // nullopt: whatever stands is withdrawn, and nothing announced any more.
  void setPolicy(std::optional<config::Bgp> policy);

  // The relay told what stands. Only the first word counts: it is what an earlier agent left;
  // afterwards this agent knows better.
  void relayConnected(const bgp::RouteSet& standing);
  void synced(std::uint64_t generation);

  // Publishes what `decisions` make of the current routes; VIPs without a decision are withdrawn.
  // Does nothing before the relay was heard, or after withdrawAll().
  // `because` is asked for the log line of each VIP that changes.
  using Because = std::function<std::string(const Prefix&)>;
  void update(const std::map<Prefix, Decision>& decisions, const Because& because);

  // The last word of an agent that stops.
  void withdrawAll();

  bool isAnnounced(const Prefix& vip) const;
  // ExaBGP acknowledged that no neighbor has a route to it.
  bool isWithdrawn(const Prefix& vip) const;
  // The same for all that was ever published.
  bool isSynced() const { return relayKnown_ && synced_ >= generation_; }

 private:
  void publish(bgp::RouteSet routes, const Because& because);

  Publish publish_;
  std::optional<config::Bgp> policy_;
  bgp::RouteSet current_;
  std::map<Prefix, std::uint64_t> withdrawnAt_;  // generation that took the VIP's routes away
  std::uint64_t generation_ = 0;
  std::uint64_t synced_ = 0;
  bool relayKnown_ = false;
  bool stopped_ = false;
};

}  // namespace l4ward::agent
