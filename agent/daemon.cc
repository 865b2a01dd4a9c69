#include "agent/daemon.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <random>

#include "agent/interfaces.h"
#include "agent/read_only.h"
#include "agent/setup.h"
#include "agent/status_builder.h"
#include "agent/sysctl.h"
#include "base/log.h"
#include "base/notify.h"
#include "ipvs/globals_netlink.h"
#include "ipvs/identity.h"
#include "ipvs/netlink.h"

namespace l4ward::agent {
namespace {

// A relay that does not connect, or an ExaBGP that does not answer, must not hold up the stop.
constexpr Millis kWithdrawPatience{5000};
constexpr Millis kExabgpGrace{5000};
// From there on a turn is late, which is told once a period.
constexpr Millis kLateTurn{1000};
constexpr Millis kLagPeriod{60000};
// For the kernel's and ExaBGP's part of getting ready, beside the checks' own time.
constexpr Millis kReadyMargin{60000};

// 0 to 1
double chance() {
  std::random_device device;
  return static_cast<double>(device() - std::random_device::min()) /
         static_cast<double>(std::random_device::max() - std::random_device::min());
}

}  // namespace

Daemon::Daemon(Options options, config::Site site, SiteLoader loader)
    : options_(std::move(options)), site_(std::move(site)), loader_(std::move(loader)) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) signals_.add(signal);
}

Daemon::~Daemon() = default;

int Daemon::run() {
  if (const auto prepared = prepare(); !prepared) {
    log::error("agent.cannot_start", {{"reason", prepared.error().message}});
    return 1;
  }
  log::info(
      "agent.started",
      {{"node", site_.node}, {"config", options_.config}, {"services", site_.services.size()}});
  using std::chrono::microseconds;
  const microseconds longest = site_.announceDeadline + kReadyMargin;
  notifyServiceManager("EXTEND_TIMEOUT_USEC=" + std::to_string(longest.count()));
  acceptSite();
  awaitSignal();
  feedWatchdog();
  scheduleTurn();
  loop_.run();
  log::info("agent.ended");
  return 0;
}

Status Daemon::prepare() {
  keepCapabilities();
  auto lock = lockRunDir(options_.runDir);
  if (!lock) return tl::unexpected(lock.error());
  lock_ = std::move(*lock);
  auto kernel = ipvs::NetlinkKernel::open();
  if (!kernel) return tl::unexpected(kernel.error());
  makeEdges(std::move(*kernel));
  measured_ = std::make_unique<MeasuredKernel>(*kernel_);
  const auto identity = ipvs::kernelIdentity();
  if (!identity) return tl::unexpected(identity.error());
  memory_ = std::make_unique<MemoryFile>(recordPath(options_), *identity);
  memory_->load();
  if (options_.observe) memory_->forgetFile();
  prober_ = std::make_unique<healthcheck::Prober>([this](healthcheck::Outcome outcome) {
    asio::post(loop_, [this, outcome = std::move(outcome)] {
      if (controller_->onOutcome(outcome)) scheduleTurn();
    });
  });
  controller_ = std::make_unique<Controller>(Controller::Environment{
      *measured_, *globals_, *interfaces_, *memory_,
      [this](const bgp::RouteSet& routes) { return relay_ ? relay_->publish(routes) : 0; },
      [this](std::vector<healthcheck::Job> jobs) { prober_->setJobs(std::move(jobs)); },
      [this](CheckId id, healthcheck::Pace pace) { prober_->setPace(id, pace); }, chance(),
      options_.observe,
      [](const config::Site& site) { return compareSysctls(wantedSysctls(site)); }});
  if (const auto ready = readyForBgp(site_); !ready) return ready;
  startOverrides();
  if (const auto started = controller_->start(site_, Clock::now()); !started) return started;
  if (const auto found = findExabgp(); !found) return found;
  // Only now: all that can be missing has been looked for.
  if (!options_.observe) setSiteSysctls(site_, *memory_);
  configureBgp();
  startControl();
  return {};
}

// The kernel's side, which cannot be written to by an agent that observes.
void Daemon::makeEdges(std::unique_ptr<ipvs::Kernel> kernel) {
  kernel_ = std::move(kernel);
  globals_ = std::make_unique<ipvs::NetlinkGlobals>(ipvs::netlinkChannels({}));
  interfaces_ = std::make_unique<KernelInterfaces>();
  if (!options_.observe) return;
  kernel_ = std::make_unique<ReadOnlyKernel>(std::move(kernel_));
  globals_ = std::make_unique<ReadOnlyGlobals>(std::move(globals_));
  interfaces_ = std::make_unique<ReadOnlyInterfaces>(std::move(interfaces_));
}

void Daemon::startOverrides() {
  overrides_ = std::make_unique<OverrideKeeper>(
      loop_, OverrideKeeper::Paths{options_.stateDir, site_.control.overrides}, [this] {
        controller_->setOverrides(overrides_->current());
        scheduleTurn();
      });
  overrides_->load();
  controller_->setOverrides(overrides_->current());
}

void Daemon::startControl() {
  control_ = std::make_unique<DaemonControl>(
      DaemonControl::Daemon{loop_, *controller_, *prober_, *overrides_,
                            [this] { return processState(); }, [this] { return reload(); },
                            [this] { resync(); }, [this] { return loader_.text(); },
                            options_.observe},
      options_.runDir + "/control.sock");
  control_->listen();
  control_->configure(site_.control);
}

// For people to see.
ProcessState Daemon::processState() const {
  const auto phase = [this] {
    switch (phase_) {
      case Phase::running:
        if (!ready_) return "starting";
        return options_.observe ? "observing" : "running";
      case Phase::graceful:
      case Phase::gracePeriod:
        return "draining";
      case Phase::withdrawing:
        return "withdrawing";
      case Phase::draining:
      case Phase::ending:
        break;
    }
    return "stopping";
  };
  ProcessState state;
  state.at = OverrideKeeper::systemTime();
  state.startedAt = startedAt_;
  state.phase = phase();
  state.siteFile = options_.config;
  state.relayConnected = relay_ && relay_->isConnected();
  state.reloads = reloads_;
  state.staleServers = loader_.stale();
  const auto& work = measured_->work();
  state.work.turns = turns_;
  state.work.operations = work.operations;
  state.work.failedOperations = work.failed;
  state.work.applySeconds = toControl(work.applySeconds);
  state.work.planOperations = toControl(work.planOperations);
  state.work.loopLagSeconds = toControl(loopLag_);
  return state;
}

void Daemon::scheduleTurn(TimePoint due) {
  if (turnScheduled_) return;
  turnScheduled_ = true;
  asio::post(loop_, [this, due] {
    noteLag(Clock::now() - due);
    turn();
  });
}

// What else was on the loop held up this turn; it holds up outcomes, signals and people as well.
void Daemon::noteLag(Clock::duration lag) {
  loopLag_.add(std::chrono::duration<double>(lag).count());
  if (lag < kLateTurn || Clock::now() < lagTold_ + kLagPeriod) return;
  lagTold_ = Clock::now();
  log::warning("loop.late", {{"by", formatDuration(std::chrono::floor<Millis>(lag))}});
}

// Half the time that the service manager gives. A loop that hangs does not come here: the agent is
// killed and started again before its routes' hold is over.
void Daemon::feedWatchdog() {
  const auto limit = watchdogTime();
  if (!limit) return;
  notifyServiceManager("WATCHDOG=1");
  watchdogTimer_.expires_after(*limit / 2);
  watchdogTimer_.async_wait([this](ErrorCode error) {
    if (!error) feedWatchdog();
  });
}

void Daemon::turn() {
  turnScheduled_ = false;
  if (phase_ == Phase::ending) return;
  ++turns_;
  const auto due = controller_->turn(Clock::now());
  noteReady();
  turnTimer_.expires_at(due);
  turnTimer_.async_wait([this, due](ErrorCode error) {
    if (!error) scheduleTurn(due);
  });
}

// An agent that observes is never ready; what waits for its start goes on when it compares.
void Daemon::noteReady() {
  if (ready_) return;
  ready_ = options_.observe ? controller_->hasVerdicts() : controller_->isReady();
  if (!ready_) return;
  if (options_.observe) {
    log::info("agent.observing", {{"differences", controller_->differences().size()}});
    notifyServiceManager("READY=1\nSTATUS=observing, changes nothing");
  } else {
    log::info("agent.ready");
    notifyServiceManager("READY=1");
  }
}

void Daemon::awaitSignal() {
  if (phase_ == Phase::ending) return;
  signals_.async_wait([this](ErrorCode error, int signal) {
    if (error) return;
    onSignal(signal);
    awaitSignal();
  });
}

void Daemon::onSignal(int signal) {
  if (signal == SIGHUP) {
    (void)reload();
  } else if (signal == SIGUSR1) {
    resync();
  } else if (signal == SIGUSR2) {
    letGo();
  } else if (phase_ == Phase::running) {
    stop();
  } else {
    hurry();
  }
}

void Daemon::resync() {
  log::info("agent.resync");
  controller_->resync();
  scheduleTurn();
}

void Daemon::stop() {
  if (options_.observe) {  // nothing to withdraw, nothing to wait for
    phase_ = Phase::ending;
    return end();
  }
  using std::chrono::microseconds;
  const auto& how = site_.shutdown;
  // systemd's own limit may be shorter than what the site file wants.
  const microseconds most = how.graceful + how.drain + 2 * kWithdrawPatience + kExabgpGrace;
  notifyServiceManager("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string(most.count()));
  if (how.onStop == config::OnStop::hold) return letGo();
  log::info("agent.stopping",
            {{"graceful", formatDuration(how.graceful)}, {"drain", formatDuration(how.drain)}});
  if (how.graceful == Millis::zero() || !relay_ || !relay_->isConnected()) return withdraw();
  controller_->setDraining();
  turn();  // tells ExaBGP
  wait(Phase::graceful, kWithdrawPatience, &Daemon::withdraw);
  checkSynced();
}

// One step on.
void Daemon::hurry() {
  if (phase_ == Phase::ending) return;
  log::warning("agent.hurried", {{"because", "another signal to stop"}});
  const bool isWithdrawn = phase_ == Phase::withdrawing || phase_ == Phase::draining;
  return isWithdrawn ? stopExabgp() : withdraw();
}

// For the next agent, which goes on with the routes, ExaBGP and IPVS as they are. Also in the
// middle of a stop: what is withdrawn by then stays withdrawn until the next one decides.
void Daemon::letGo() {
  if (phase_ == Phase::ending) return;
  phase_ = Phase::ending;
  const auto hold = site_.bgp ? site_.bgp->hold : Millis(0);
  log::info("agent.handover", {{"routes", "stand for " + formatDuration(hold)},
                               {"exabgp", exabgp_ ? "runs on" : "not ours"}});
  end();
}

void Daemon::withdraw() {
  if (phase_ == Phase::graceful) {
    log::warning("bgp.draining_unconfirmed", {{"effect", "routes are withdrawn now"}});
  }
  controller_->withdrawAll();
  control_->onWithdraw();
  wait(Phase::withdrawing, kWithdrawPatience, &Daemon::stopExabgp);
  // Without BGP whoever asks /readyz needs the time that routers would.
  if (!relay_) return wait(Phase::draining, site_.shutdown.drain, &Daemon::stopExabgp);
  checkSynced();
}

// ExaBGP has acknowledged something: maybe what is waited for.
void Daemon::checkSynced() {
  if (!controller_->isSynced()) return;
  if (phase_ == Phase::graceful) {
    log::info("bgp.draining");
    wait(Phase::gracePeriod, site_.shutdown.graceful, &Daemon::withdraw);
  } else if (phase_ == Phase::withdrawing) {
    log::info("bgp.withdrawn");
    wait(Phase::draining, site_.shutdown.drain, &Daemon::stopExabgp);
  }
}

// Goes on with `next` when the phase has lasted that long.
void Daemon::wait(Phase phase, Millis duration, void (Daemon::*next)()) {
  phase_ = phase;
  stopTimer_.expires_after(duration);
  stopTimer_.async_wait([this, phase, next](ErrorCode error) {
    if (!error && phase_ == phase) (this->*next)();
  });
}

void Daemon::stopExabgp() {
  if (phase_ == Phase::ending) return;
  if (phase_ == Phase::withdrawing && relay_) {
    const char* const effect = options_.exabgpService ? "restarted" : "stopped";
    log::warning("bgp.withdraw_unconfirmed",
                 {{"effect", std::string("ExaBGP is ") + effect + " now"}});
    if (exabgp_ && options_.exabgpService) exabgp_->restart("a withdrawal was not acknowledged");
  }
  phase_ = Phase::ending;
  stopTimer_.cancel();
  if (!exabgp_ || options_.exabgpService) return end();
  exabgp_->stop(kExabgpGrace, [this] { end(); });
}

void Daemon::end() {
  control_.reset();  // it asks the prober
  prober_.reset();
  loop_.stop();
}

}  // namespace l4ward::agent
