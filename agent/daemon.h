// The running agent: one loop that owns the controller and feeds it with signals, timers, probe
// outcomes and the relay's messages.
#pragma once

#include <csignal>
#include <memory>
#include <optional>
#include <string>

#include "agent/controller.h"
#include "agent/memory_file.h"
#include "agent/options.h"
#include "base/asio.h"
#include "base/unique_fd.h"
#include "bgp/exabgp_process.h"
#include "bgp/relay_link.h"
#include "config/site.h"
#include "healthcheck/prober.h"

namespace l4ward::agent {

class Daemon {
 public:
  Daemon(Options options, config::Site site);
  ~Daemon();

  // Until SIGTERM or SIGINT. Returns the exit status: 0, or 1 with a sentence in the log when
  // something that is needed is not there; then nothing has been changed.
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
  Status readyForBgp(const config::Site& site);
  Status startBgp();
  void configureBgp();
  std::string exabgpRecord() const { return options_.runDir + "/exabgp.pid"; }
  bgp::RelayLink::Events relayEvents();
  bgp::ExabgpProcess::Events exabgpEvents();
  void onStuck(const std::string& what);
  void onFrozen(int pid);
  void expectRelay();

  void scheduleTurn();
  void turn();
  void awaitSignal();
  void onSignal(int signal);
  void reload();
  void reloadFailed(const std::string& reason);

  // Stopping: announce as a node that is about to stop, withdraw, wait for ExaBGP's word, let
  // traffic leave, stop ExaBGP, end. Or leave all as it is, and end.
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
  asio::io_context loop_{1};
  asio::signal_set signals_{loop_};
  asio::steady_timer turnTimer_{loop_};
  asio::steady_timer stopTimer_{loop_};
  asio::steady_timer relayTimer_{loop_};
  UniqueFd lock_;
  std::unique_ptr<ipvs::Kernel> kernel_;
  std::unique_ptr<ipvs::GlobalsKernel> globals_;
  std::unique_ptr<Interfaces> interfaces_;
  std::unique_ptr<MemoryFile> memory_;
  std::unique_ptr<bgp::RelayLink> relay_;
  std::unique_ptr<bgp::ExabgpProcess> exabgp_;
  std::unique_ptr<Controller> controller_;
  std::unique_ptr<healthcheck::Prober> prober_;  // last: its thread ends first
  bool turnScheduled_ = false;
  bool ready_ = false;
  Phase phase_ = Phase::running;
};

}  // namespace l4ward::agent
