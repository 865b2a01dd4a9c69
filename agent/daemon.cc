#include "agent/daemon.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>

#include "agent/interfaces.h"
#include "agent/setup.h"
#include "agent/sysctl.h"
#include "base/log.h"
#include "base/notify.h"
#include "bgp/exabgp_config.h"
#include "config/load.h"
#include "ipvs/globals_netlink.h"
#include "ipvs/identity.h"
#include "ipvs/netlink.h"

namespace l4ward::agent {
namespace {

// A relay that does not connect, or an ExaBGP that does not answer, must not hold up the stop.
constexpr Millis kWithdrawPatience{5000};
constexpr Millis kExabgpGrace{5000};
// ExaBGP starts, and its relay connects, in a second; on a starved machine in ten.
constexpr Millis kRelayPatience{30000};

// The site file's own, and those without which answers to probes through a tunnel, which come from
// an address that is this node's too, would be dropped.
void setSysctls(const config::Site& site) {
  auto wanted = site.sysctls;
  const bool throughTunnel =
      std::ranges::any_of(site.checks, [](const auto& entry) { return entry.second.viaTunnel; });
  for (auto uplink : site.dataPath.uplinks) {
    std::ranges::replace(uplink, '.', '/');  // eth0.100: as sysctl(8) has it
    if (throughTunnel) wanted["net.ipv4.conf." + uplink + ".accept_local"] = "1";
  }
  for (const auto& change : applySysctls(wanted)) {
    if (change.error) {
      log::error("sysctl.failed", {{"name", change.name}, {"reason", change.error->message}});
    } else {
      log::info("sysctl.set",
                {{"name", change.name}, {"before", change.before}, {"after", change.after}});
    }
  }
}

// 0 to 1
double chance() {
  std::random_device device;
  return static_cast<double>(device() - std::random_device::min()) /
         static_cast<double>(std::random_device::max() - std::random_device::min());
}

bool isManaged(const config::Site& site) {
  return site.bgp && site.bgp->exabgp == config::ExabgpMode::managed;
}

}  // namespace

Daemon::Daemon(Options options, config::Site site)
    : options_(std::move(options)), site_(std::move(site)) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) signals_.add(signal);
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
  awaitSignal();
  scheduleTurn();
  loop_.run();
  log::info("agent.ended");
  return 0;
}

Status Daemon::prepare() {
  auto lock = lockRunDir(options_.runDir);
  if (!lock) return tl::unexpected(lock.error());
  lock_ = std::move(*lock);
  auto kernel = ipvs::NetlinkKernel::open();
  if (!kernel) return tl::unexpected(kernel.error());
  kernel_ = std::move(*kernel);
  globals_ = std::make_unique<ipvs::NetlinkGlobals>(ipvs::netlinkChannels({}));
  interfaces_ = std::make_unique<KernelInterfaces>();
  const auto identity = ipvs::kernelIdentity();
  if (!identity) return tl::unexpected(identity.error());
  memory_ = std::make_unique<MemoryFile>(recordPath(options_), *identity);
  memory_->load();
  prober_ = std::make_unique<healthcheck::Prober>([this](healthcheck::Outcome outcome) {
    asio::post(loop_, [this, outcome = std::move(outcome)] {
      if (controller_->onOutcome(outcome)) scheduleTurn();
    });
  });
  controller_ = std::make_unique<Controller>(Controller::Environment{
      *kernel_, *globals_, *interfaces_, *memory_,
      [this](const bgp::RouteSet& routes) { return relay_ ? relay_->publish(routes) : 0; },
      [this](std::vector<healthcheck::Job> jobs) { prober_->setJobs(std::move(jobs)); },
      [this](CheckId id, healthcheck::Pace pace) { prober_->setPace(id, pace); }, chance()});
  if (const auto ready = readyForBgp(site_); !ready) return ready;
  if (const auto started = controller_->start(site_, Clock::now()); !started) return started;
  // Asking takes half a second, so only when no ExaBGP of ours is on record.
  if (isManaged(site_) && !std::filesystem::exists(exabgpRecord())) {
    const auto version = bgp::ExabgpProcess::probe("exabgp");
    if (!version) return tl::unexpected(version.error());
    log::info("exabgp.found", {{"version", *version}});
  }
  setSysctls(site_);  // only now: all that can be missing has been looked for
  configureBgp();
  return {};
}

Status Daemon::startBgp() {
  auto link = std::make_unique<bgp::RelayLink>(loop_, relayEvents());
  const auto listening = link->listen(options_.runDir + "/bgp.sock");
  if (listening) relay_ = std::move(link);
  return listening;
}

// After the site file was read, at start and at every reload: ExaBGP runs with what it says.
void Daemon::configureBgp() {
  if (!site_.bgp) return;
  relay_->setHold(site_.bgp->hold);
  if (!isManaged(site_)) return;
  const auto config = exabgpConfig(site_, options_);
  if (!config) {
    log::error("exabgp.not_configured", {{"reason", config.error().message}});
    return;
  }
  if (!exabgp_) {
    bgp::ExabgpProcess::Options options;
    options.configPath = options_.runDir + "/exabgp.conf";
    options.recordPath = exabgpRecord();
    options.logPath = options_.runDir + "/exabgp.log";
    options.user = userName();
    exabgp_ = std::make_unique<bgp::ExabgpProcess>(loop_, std::move(options), exabgpEvents());
  }
  if (const auto run = exabgp_->run(bgp::exabgpConfigText(*config)); !run) {
    log::error("exabgp.not_configured", {{"reason", run.error().message}});
  }
}

bgp::RelayLink::Events Daemon::relayEvents() {
  bgp::RelayLink::Events events;
  events.connected = [this](const bgp::RouteSet& standing) {
    log::info("bgp.relay_connected", {{"routes", standing.size()}});
    relayTimer_.cancel();
    controller_->onRelayConnected(standing, Clock::now());
    scheduleTurn();
  };
  events.synced = [this](std::uint64_t generation) {
    controller_->onSynced(generation);
    checkSynced();
    scheduleTurn();
  };
  events.session = [this](const IpAddress& neighbor, const std::string& state,
                          const std::string& reason) {
    controller_->onSession(neighbor, state, reason, Clock::now());
    scheduleTurn();
  };
  events.error = [](const std::string& what) { log::error("bgp.report", {{"reason", what}}); };
  events.disconnected = [this] {
    log::warning("bgp.relay_lost");
    controller_->onRelayLost(Clock::now());
    expectRelay();
    scheduleTurn();
  };
  events.stuck = [this](const std::string& what) { onStuck(what); };
  events.frozen = [this](int pid) { onFrozen(pid); };
  return events;
}

// With an ExaBGP of somebody else it is for that one to act.
void Daemon::onStuck(const std::string& what) {
  const bool ours = exabgp_ && phase_ != Phase::ending;
  log::error("exabgp.stuck", {{"reason", what}, {"effect", ours ? "it is restarted" : "none"}});
  if (ours) exabgp_->restart(what);
}

// An ExaBGP that hangs does not start the relay again that has gone.
void Daemon::expectRelay() {
  if (!exabgp_) return;
  relayTimer_.expires_after(kRelayPatience);
  relayTimer_.async_wait([this](ErrorCode error) {
    if (error || relay_->isConnected()) return;
    onStuck("no relay has connected for " + formatDuration(kRelayPatience));
    expectRelay();
  });
}

// ExaBGP starts the relay again when it is gone.
void Daemon::onFrozen(int pid) {
  const bool ours = exabgp_ && pid > 1;
  log::error("bgp.relay_frozen", {{"pid", pid}, {"effect", ours ? "it is killed" : "none"}});
  if (ours) ::kill(pid, SIGKILL);
}

bgp::ExabgpProcess::Events Daemon::exabgpEvents() {
  bgp::ExabgpProcess::Events events;
  events.started = [this](int pid, bool adopted) {
    log::info(adopted ? "exabgp.adopted" : "exabgp.started", {{"pid", pid}});
    expectRelay();
  };
  events.exited = [](const std::string& how) { log::error("exabgp.exited", {{"how", how}}); };
  events.failed = [](const Error& error) {
    log::error("exabgp.failed", {{"reason", error.message}});
  };
  return events;
}

void Daemon::scheduleTurn() {
  if (turnScheduled_) return;
  turnScheduled_ = true;
  asio::post(loop_, [this] { turn(); });
}

void Daemon::turn() {
  turnScheduled_ = false;
  if (phase_ == Phase::ending) return;
  const auto due = controller_->turn(Clock::now());
  if (!ready_ && controller_->isReady()) {
    ready_ = true;
    log::info("agent.ready");
    notifyServiceManager("READY=1");
  }
  turnTimer_.expires_at(due);
  turnTimer_.async_wait([this](ErrorCode error) {
    if (!error) scheduleTurn();
  });
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
    if (phase_ == Phase::running) reload();
  } else if (signal == SIGUSR1) {
    log::info("agent.resync");
    controller_->resync();
    scheduleTurn();
  } else if (phase_ == Phase::running) {
    stop();
  } else {
    hurry();
  }
}

// All of the new site file, or nothing of it.
void Daemon::reload() {
  using std::chrono::microseconds;
  const auto since = std::chrono::duration_cast<microseconds>(Clock::now().time_since_epoch());
  notifyServiceManager("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(since.count()));
  auto loaded = config::loadSiteFile(options_.config);
  if (!loaded) {
    for (const auto& diagnostic : loaded.error()) {
      log::error("config.invalid", {{"problem", diagnostic.str()}});
    }
    reloadFailed(std::to_string(loaded.error().size()) + " mistakes");
  } else if (const auto ready = readyForBgp(*loaded); !ready) {
    reloadFailed(ready.error().message);
  } else {
    site_ = *loaded;
    setSysctls(site_);
    configureBgp();
    controller_->reload(std::move(*loaded), Clock::now());
    log::info("reload.done", {{"config", options_.config}, {"services", site_.services.size()}});
    scheduleTurn();
  }
  notifyServiceManager("READY=1");
}

void Daemon::reloadFailed(const std::string& reason) {
  log::error("reload.failed", {{"config", options_.config},
                               {"reason", reason},
                               {"effect", "none, the old site file stays in force"}});
}

// What BGP needs beside the site file: readable passwords, a relay, a socket for it.
Status Daemon::readyForBgp(const config::Site& site) {
  if (!site.bgp) return {};
  if (const auto config = exabgpConfig(site, options_); !config) {
    return tl::unexpected(config.error());
  }
  return relay_ ? Status() : startBgp();
}

void Daemon::stop() {
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

// For the next agent, which goes on with the routes, ExaBGP and IPVS as they are.
void Daemon::letGo() {
  phase_ = Phase::ending;
  const auto hold = site_.bgp ? site_.bgp->hold : Millis(0);
  log::info("agent.stopping", {{"routes", "stand for " + formatDuration(hold)},
                               {"exabgp", exabgp_ ? "runs on" : "not ours"}});
  end();
}

void Daemon::withdraw() {
  if (phase_ == Phase::graceful) {
    log::warning("bgp.draining_unconfirmed", {{"effect", "routes are withdrawn now"}});
  }
  controller_->withdrawAll();
  wait(Phase::withdrawing, kWithdrawPatience, &Daemon::stopExabgp);
  if (!relay_) return stopExabgp();  // nothing was announced, nothing to wait for
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
    log::warning("bgp.withdraw_unconfirmed", {{"effect", "ExaBGP is stopped now"}});
  }
  phase_ = Phase::ending;
  stopTimer_.cancel();
  if (!exabgp_) return end();
  exabgp_->stop(kExabgpGrace, [this] { end(); });
}

void Daemon::end() {
  prober_.reset();
  loop_.stop();
}

}  // namespace l4ward::agent
