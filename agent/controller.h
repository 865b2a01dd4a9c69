// The agent's whole state, joined: site file, health, kernel, routes. One turn() after each piece
// of news brings the kernel and ExaBGP in line with it. No sockets, no clock, no threads: the
// daemon feeds it, tests drive it with a fake kernel.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "agent/announcer.h"
#include "agent/decisions.h"
#include "agent/gate.h"
#include "agent/globals_keeper.h"
#include "agent/observer.h"
#include "agent/override_policy.h"
#include "agent/programmer.h"
#include "agent/sessions.h"
#include "agent/snapshot.h"
#include "agent/vips.h"
#include "config/site.h"
#include "control/override.h"
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
    // Only compares: nothing is written, nothing is on record, nothing is announced.
    bool observe = false;
    // While observing: what the site's sysctls are to become, and are not.
    std::function<std::vector<SysctlChange>(const config::Site&)> compareSysctls = {};
  };

  explicit Controller(Environment environment);

  // Reads the kernel, takes over what it holds and starts the checks. On an error nothing has been
  // changed.
  Status start(config::Site site, TimePoint now);
  // The new site takes the old one's place: states of unchanged checks stay, services that are
  // gone are withdrawn, then drained, then deleted.
  void reload(config::Site site, TimePoint now);

  std::shared_ptr<const config::Site> site() const { return site_; }

  // What people say, from the next turn() on; also before start().
  void setOverrides(control::Overrides overrides);
  const control::Overrides& overrides() const { return *overrides_; }
  // See agent/override_policy.h.
  Status checkSubject(const control::Subject& subject) const {
    return agent::checkSubject(*site_, subject);
  }
  std::optional<std::string> poolLeftWithout(const control::Subject& subject) const {
    return agent::poolLeftWithout(*model_, health_, subject);
  }

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
  // The same without the first: what an agent that observes waits for before it compares.
  bool hasVerdicts() const { return decisions_.isComplete(); }
  const Differences& differences() const { return observer_.all(); }
  // For people to see.
  Snapshot snapshot(TimePoint now) const;

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
  void setModel(Model model);
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
  void noteChanges(TimePoint now);
  void observe(TimePoint now);

  Environment environment_;
  // Each stays as it is for as long as somebody looks at it.
  std::shared_ptr<const config::Site> site_ = std::make_shared<const config::Site>();
  std::shared_ptr<const Model> model_ = std::make_shared<const Model>();
  std::shared_ptr<const control::Overrides> overrides_ =
      std::make_shared<const control::Overrides>();
  HealthTable health_;
  bool jobsDue_ = false;                 // the prober does not know all of the model's checks yet
  std::shared_ptr<const Model> probed_;  // all of its checks are the prober's; null: not all are
  bool suspect_ = false;                 // every check fell at once: maybe this node did
  Programmer programmer_;
  GlobalsKeeper globals_;
  Decisions decisions_;
  ipvs::WantedTable wanted_;  // of the model's services, and those that probes use
  Gate gate_;
  Announcer announcer_;
  Sessions sessions_;
  Vips vips_;
  Observer observer_;
  std::map<ipvs::ServiceKey, Retiring> retiring_;
  std::map<Prefix, Decision> decided_;     // by the last turn()
  std::map<Prefix, TimePoint> changedAt_;  // routes of virtual IPs
  std::uint64_t driftSeen_ = 0;
  std::optional<TimePoint> driftAt_;  // when some was found last
};

}  // namespace l4ward::agent
