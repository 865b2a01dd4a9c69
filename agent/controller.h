// The agent's whole state, joined: site file, health, kernel, routes. One turn() after each piece
// of news brings the kernel and ExaBGP in line with it. No sockets, no clock, no threads: the
// daemon feeds it, tests drive it with a fake kernel.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "agent/announcer.h"
#include "agent/decisions.h"
#include "agent/gate.h"
#include "agent/globals_keeper.h"
#include "agent/programmer.h"
#include "agent/sessions.h"
#include "agent/vips.h"
#include "config/site.h"
#include "healthcheck/job.h"
#include "healthcheck/state.h"
#include "ipvs/kernel.h"

namespace l4ward::agent {

class Controller {
 public:
  // What the controller acts on. All must outlive it.
  struct Environment {
    ipvs::Kernel& kernel;
    ipvs::GlobalsKernel& globals;
    Interfaces& interfaces;
    MemoryFile& memory;
    Announcer::Publish publish;
    std::function<void(std::vector<healthcheck::Job>)> setJobs;
    std::function<void(CheckId, healthcheck::Pace)> setPace;
    double jitter = 0;  // this run's share of chance, 0 to 1
  };

  explicit Controller(Environment environment);

  // Reads the kernel, takes over what it holds and starts the checks. On an error nothing has been
  // changed.
  Status start(config::Site site, TimePoint now);
  // The new site takes the old one's place: states of unchanged checks stay, services that are
  // gone are withdrawn, then drained, then deleted.
  void reload(config::Site site, TimePoint now);

  // Whether a turn() is due because of it.
  bool onOutcome(const healthcheck::Outcome& outcome);
  void onRelayConnected(const bgp::RouteSet& standing, TimePoint now);
  void onRelayLost(TimePoint now) { sessions_.lost(now); }
  void onSynced(std::uint64_t generation) { announcer_.synced(generation); }
  void onSession(const IpAddress& neighbor, std::string_view state, const std::string& reason,
                 TimePoint now) {
    sessions_.heard(neighbor, state, reason, now);
  }

  // The next turn() looks at the whole kernel and mends what others changed.
  void resync();

  // Brings everything in line. Returns when it must be called again at the latest.
  TimePoint turn(TimePoint now);

  // From the next turn() on, what is announced is announced as of a node that is about to stop, and
  // nothing else is any more.
  void setDraining() { announcer_.setDraining(); }
  // Withdraws everything, for good; checks and IPVS go on.
  void withdrawAll() { announcer_.withdrawAll(); }
  // ExaBGP has acknowledged all that it was told.
  bool isSynced() const { return announcer_.isSynced(); }

  // As of the last turn(): programmed, and every service has its verdicts. What "ready" means to
  // systemd.
  bool isReady() const;
  // For people to see.
  const Sessions& sessions() const { return sessions_; }

 private:
  // A service whose VIPs the site file dropped, held as it was until their routes are gone and
  // traffic has had the time to leave: ExaBGP acknowledges before the routers have heard.
  struct Retiring {
    ipvs::WantedService service;
    std::set<Prefix> vips;
    TimePoint until{};
    bool withdrawn = false;
  };

  void configure(config::Site site, TimePoint now);
  void configureBgp(TimePoint now);
  void own();
  void retireDropped(TimePoint now);
  ipvs::WantedService asHeld(const ipvs::ServiceKey& key) const;
  bool isDropped(const std::set<Prefix>& vips) const;
  std::map<CheckId, healthcheck::Health> assumedHealth() const;
  ipvs::WantedTable wanted(TimePoint now);
  std::set<ipvs::ServiceKey> idle() const;
  std::set<ipvs::ServiceKey> unusedProbeServices() const;
  void judgeNode();
  void reconcile(TimePoint now);
  void startJobs();
  std::map<Prefix, Decision> decide(TimePoint now);
  std::string explain(const Prefix& vip) const;
  std::set<Prefix> heldAddresses() const;
  TimePoint nextDeadline(TimePoint now) const;

  Environment environment_;
  config::Site site_;
  Model model_;
  HealthTable health_;
  bool jobsDue_ = false;  // the prober does not know all of the model's checks yet
  bool suspect_ = false;  // every check fell at once: maybe this node did
  Programmer programmer_;
  GlobalsKeeper globals_;
  Decisions decisions_;
  ipvs::WantedTable wanted_;  // of the model's services, and those that probes use
  Gate gate_;
  Announcer announcer_;
  Sessions sessions_;
  Vips vips_;
  std::map<ipvs::ServiceKey, Retiring> retiring_;
};

}  // namespace l4ward::agent
