// The daemon's part that has to do with ExaBGP and its relay.
#include <signal.h>

#include <filesystem>

#include "agent/daemon.h"
#include "agent/setup.h"
#include "base/log.h"
#include "base/user.h"
#include "bgp/exabgp_config.h"
#include "bgp/exabgp_record.h"

namespace l4ward::agent {
namespace {

// ExaBGP starts, and its relay connects, in a second; on a starved machine in ten.
constexpr Millis kRelayPatience{30000};
// For an ExaBGP that is not wanted any more: to acknowledge withdrawals, and to end.
constexpr Millis kLeavePatience{5000};
constexpr Millis kLeaveGrace{5000};

bool isManaged(const config::Site& site) {
  return site.bgp && site.bgp->exabgp == config::ExabgpMode::managed;
}

}  // namespace

// What BGP needs beside the site file: readable passwords, a relay, a socket for it.
Status Daemon::readyForBgp(const config::Site& site) {
  if (!site.bgp || options_.observe) return {};
  if (const auto config = exabgpConfig(site, options_); !config) {
    return tl::unexpected(config.error());
  }
  return relay_ ? Status() : startBgp();
}

// Asking takes half a second, so only when no ExaBGP of ours is on record.
Status Daemon::findExabgp() const {
  if (options_.observe || !isManaged(site_) || std::filesystem::exists(exabgpRecord())) return {};
  const auto version = bgp::ExabgpProcess::probe("exabgp");
  if (!version) return tl::unexpected(version.error());
  log::info("exabgp.found", {{"version", *version}});
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
  if (options_.observe) return;
  if (site_.bgp) relay_->setHold(site_.bgp->hold);
  if (!isManaged(site_)) return leaveExabgp();
  const auto config = exabgpConfig(site_, options_);
  if (!config) {
    log::error("exabgp.not_configured", {{"reason", config.error().message}});
    return;
  }
  makeExabgp();
  if (const auto run = exabgp_->run(bgp::exabgpConfigText(*config)); !run) {
    log::error("exabgp.not_configured", {{"reason", run.error().message}});
  }
}

void Daemon::makeExabgp() {
  if (exabgp_) return;
  bgp::ExabgpProcess::Options options;
  options.configPath = exabgpConfigFile();
  options.recordPath = exabgpRecord();
  options.logPath = options_.runDir + "/exabgp.log";
  options.user = userName();
  options.service = options_.exabgpService;
  exabgp_ = std::make_unique<bgp::ExabgpProcess>(loop_, std::move(options), exabgpEvents());
}

// The site file has no work for an ExaBGP of ours (any more). One that runs, maybe since an earlier
// agent, ends when it has acknowledged that nothing is announced.
void Daemon::leaveExabgp() {
  const bool left = bgp::findExabgp(exabgpRecord()) ||
                    (options_.exabgpService && std::filesystem::exists(exabgpConfigFile()));
  if (!exabgp_ && !left) return;
  makeExabgp();
  if (!relay_ || !relay_->isConnected()) return retireExabgp();
  relayTimer_.expires_after(kLeavePatience);
  relayTimer_.async_wait([this](ErrorCode error) {
    if (!error && !isManaged(site_)) retireExabgp();
  });
}

void Daemon::retireExabgp() {
  relayTimer_.cancel();
  log::info("exabgp.retired");
  exabgp_->retire(kLeaveGrace, [this] {
    relayTimer_.cancel();
    exabgp_.reset();
  });
}

void Daemon::onSynced(std::uint64_t generation) {
  controller_->onSynced(generation);
  checkSynced();
  const bool leaves = phase_ == Phase::running && exabgp_ && !isManaged(site_);
  if (leaves && controller_->isSynced()) retireExabgp();
  scheduleTurn();
}

bgp::RelayLink::Events Daemon::relayEvents() {
  bgp::RelayLink::Events events;
  events.connected = [this](const bgp::RouteSet& standing) {
    log::info("bgp.relay_connected", {{"routes", standing.size()}});
    relayTimer_.cancel();
    controller_->onRelayConnected(standing, Clock::now());
    scheduleTurn();
  };
  events.synced = [this](std::uint64_t generation) { onSynced(generation); };
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
  if (!exabgp_ || !isManaged(site_)) return;
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
  events.exited = [this](const std::string& how) {
    log::error("exabgp.exited", {{"how", how}});
    relayTimer_.cancel();
  };
  events.awaited = [] {
    log::error("exabgp.awaited",
               {{"reason", "nobody starts ExaBGP: run 'systemctl start l4ward-exabgp'"}});
  };
  events.failed = [](const Error& error) {
    log::error("exabgp.failed", {{"reason", error.message}});
  };
  return events;
}

}  // namespace l4ward::agent
