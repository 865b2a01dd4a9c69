#include "agent/daemon.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>

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
      [this](CheckId id, healthcheck::Pace pace) { prober_->setPace(id, pace); }});
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
    controller_->onRelayConnected(standing);
    scheduleTurn();
  };
  events.synced = [this](std::uint64_t generation) {
    controller_->onSynced(generation);
    if (phase_ == Phase::withdrawing) checkWithdrawn();
    scheduleTurn();
  };
  events.session = [](const IpAddress& neighbor, const std::string& state,
                      const std::string& reason) {
    const auto level = state == "down" ? log::Level::warning : log::Level::info;
    log::event(level, "bgp.session_" + state, {{"neighbor", neighbor.str()}, {"reason", reason}});
  };
  events.error = [](const std::string& what) { log::error("bgp.report", {{"reason", what}}); };
  events.disconnected = [] { log::warning("bgp.relay_lost"); };
  return events;
}

bgp::ExabgpProcess::Events Daemon::exabgpEvents() {
  bgp::ExabgpProcess::Events events;
  events.started = [](int pid, bool adopted) {
    log::info(adopted ? "exabgp.adopted" : "exabgp.started", {{"pid", pid}});
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
  if (!ready_ && controller_->isReady(Clock::now())) {
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
    log::warning("agent.hurried", {{"because", "a second signal to stop"}});
    stopExabgp();
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
  notifyServiceManager("STOPPING=1");
  log::info("agent.stopping", {{"drain", formatDuration(site_.shutdown.drain)}});
  phase_ = Phase::withdrawing;
  controller_->withdrawAll();
  stopTimer_.expires_after(kWithdrawPatience);
  stopTimer_.async_wait([this](ErrorCode error) {
    if (error || phase_ != Phase::withdrawing) return;
    log::warning("bgp.withdraw_unconfirmed", {{"waited", formatDuration(kWithdrawPatience)}});
    stopExabgp();
  });
  checkWithdrawn();
}

void Daemon::checkWithdrawn() {
  if (phase_ != Phase::withdrawing) return;
  if (!relay_) return stopExabgp();  // nothing was announced, nothing to wait for
  if (!controller_->isWithdrawn()) return;
  log::info("bgp.withdrawn");
  phase_ = Phase::draining;
  stopTimer_.expires_after(site_.shutdown.drain);
  stopTimer_.async_wait([this](ErrorCode error) {
    if (!error) stopExabgp();
  });
}

void Daemon::stopExabgp() {
  if (phase_ == Phase::ending) return;
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
