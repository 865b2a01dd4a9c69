// The daemon's part that has to do with ExaBGP and its relay.
#include <signal.h>

#include <filesystem>

#include "agent/daemon.h"
#include "agent/setup.h"
#include "base/log.h"
#include "bgp/exabgp_config.h"

namespace l4ward::agent {
namespace {

// ExaBGP starts, and its relay connects, in a second; on a starved machine in ten.
constexpr Millis kRelayPatience{30000};

bool isManaged(const config::Site& site) {
  return site.bgp && site.bgp->exabgp == config::ExabgpMode::managed;
}

}  // namespace

// What BGP needs beside the site file: readable passwords, a relay, a socket for it.
Status Daemon::readyForBgp(const config::Site& site) {
  if (!site.bgp) return {};
  if (const auto config = exabgpConfig(site, options_); !config) {
    return tl::unexpected(config.error());
  }
  return relay_ ? Status() : startBgp();
}

// Asking takes half a second, so only when no ExaBGP of ours is on record.
Status Daemon::findExabgp() const {
  if (!isManaged(site_) || std::filesystem::exists(exabgpRecord())) return {};
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

}  // namespace l4ward::agent
