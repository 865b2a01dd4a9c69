// The running agent: one loop that owns the controller and feeds it with signals, timers, probe
// outcomes and the relay's messages.
#pragma once

#include <csignal>
#include <memory>
#include <optional>
#include <string>

#include "agent/controller.h"
#include "agent/daemon_control.h"
#include "agent/discovery.h"
#include "agent/measured_kernel.h"
#include "agent/memory_file.h"
#include "agent/options.h"
#include "agent/override_keeper.h"
#include "agent/process_state.h"
#include "agent/site_loader.h"
#include "base/asio.h"
#include "base/histogram.h"
#include "base/unique_fd.h"
#include "bgp/exabgp_process.h"
#include "bgp/relay_link.h"
#include "config/site.h"
#include "healthcheck/prober.h"

namespace l4ward::agent {

class Daemon {
 public:
  // `site` is what `loader` has loaded.
  Daemon(Options options, config::Site site, SiteLoader loader);
  ~Daemon();

  // Until SIGTERM, SIGINT or SIGUSR2. Returns the exit status: 0, or 1 with a sentence in the log
  // when something that is needed is not there; then nothing has been changed.
  int run();

 private:
  enum class Phase {
    running,
    graceful,     // routes are made unattractive, ExaBGP has not acknowledged it yet
    gracePeriod,  // it has: routers choose others
    withdrawing,  // ExaBGP has not acknowledged it yet
    draining,     // it has: traffic leaves
    ending,
  };

  // Everything that can be missing is looked for before anything is changed.
  Status prepare();
  void makeEdges(std::unique_ptr<ipvs::Kernel> kernel);
  void startOverrides();
  void startControl();
  ProcessState processState() const;

  // agent/daemon_bgp.cc
  Status readyForBgp(const config::Site& site);
  Status findExabgp() const;
  Status startBgp();
  void configureBgp();
  void makeExabgp();
  void leaveExabgp();
  void retireExabgp();
  void onSynced(std::uint64_t generation);
  std::string exabgpRecord() const { return options_.runDir + "/exabgp.pid"; }
  std::string exabgpConfigFile() const { return options_.runDir + "/exabgp.conf"; }
  bgp::RelayLink::Events relayEvents();
  bgp::ExabgpProcess::Events exabgpEvents();
  void onStuck(const std::string& what);
  void onFrozen(int pid);
  void expectRelay();

  void scheduleTurn(TimePoint due = Clock::now());
  void noteLag(Clock::duration lag);
  void feedWatchdog();
  void turn();
  void noteReady();
  void awaitSignal();
  void onSignal(int signal);
  void resync();
  control::Reply reload();
  control::Reply loadAnew();
  // `message`: for who asked for it; `reason`: for the log.
  control::Reply reloadFailed(std::string code, std::string message, const std::string& reason);
  void refreshServers();
  void takeSite();
  void acceptSite();

  // Stopping: announce as a node that is about to stop, withdraw, wait for ExaBGP's word, let
  // traffic leave, stop ExaBGP unless it is a service, end. Or leave all as it is, and end.
  void stop();
  void hurry();
  void letGo();
  void withdraw();
  void checkSynced();
  void wait(Phase phase, Millis duration, void (Daemon::*next)());
  void stopExabgp();
  void end();

  Options options_;
  config::Site site_;
  SiteLoader loader_;
  asio::io_context loop_{1};
  asio::signal_set signals_{loop_};
  asio::steady_timer turnTimer_{loop_};
  asio::steady_timer stopTimer_{loop_};
  asio::steady_timer relayTimer_{loop_};
  asio::steady_timer watchdogTimer_{loop_};
  Discovery discovery_{loop_, [this] { refreshServers(); }};
  UniqueFd lock_;
  std::unique_ptr<ipvs::Kernel> kernel_;
  std::unique_ptr<MeasuredKernel> measured_;
  std::unique_ptr<ipvs::GlobalsKernel> globals_;
  std::unique_ptr<Interfaces> interfaces_;
  std::unique_ptr<MemoryFile> memory_;
  std::unique_ptr<bgp::RelayLink> relay_;
  std::unique_ptr<bgp::ExabgpProcess> exabgp_;
  std::unique_ptr<Controller> controller_;
  std::unique_ptr<OverrideKeeper> overrides_;
  std::unique_ptr<healthcheck::Prober> prober_;  // its thread ends before what it tells of
  std::unique_ptr<DaemonControl> control_;       // last: it asks all others
  double startedAt_ = OverrideKeeper::systemTime();
  control::Reloads reloads_;
  std::uint64_t turns_ = 0;
  SecondsHistogram loopLag_;
  TimePoint lagTold_{};
  bool turnScheduled_ = false;
  bool ready_ = false;
  Phase phase_ = Phase::running;
};

}  // namespace l4ward::agent
