// The daemon's new site files, and new servers in the files that a site file names.
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/daemon.h"
#include "agent/setup.h"
#include "base/log.h"
#include "base/notify.h"

namespace l4ward::agent {

// All of the new site file, or nothing of it.
control::Reply Daemon::reload() {
  if (phase_ != Phase::running) {
    return tl::unexpected(control::Refusal{"stopping", "the agent is about to stop", ""});
  }
  using std::chrono::microseconds;
  const auto since = std::chrono::duration_cast<microseconds>(Clock::now().time_since_epoch());
  notifyServiceManager("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(since.count()));
  reloads_.lastAt = OverrideKeeper::systemTime();
  auto done = loadAnew();
  reloads_.lastSucceeded = done.has_value();
  ++(done ? reloads_.succeeded : reloads_.failed);
  reloads_.lastReason = done ? "" : done.error().message;
  notifyServiceManager("READY=1");
  return done;
}

control::Reply Daemon::loadAnew() {
  const auto loaded = loader_.load();
  if (!loaded) {
    for (const auto& diagnostic : loaded.error()) {
      log::error("config.invalid", {{"problem", diagnostic.str()}});
    }
    return reloadFailed("invalid-site", config::linesOf(loaded.error()),
                        std::to_string(loaded.error().size()) + " mistakes");
  }
  if (const auto ready = readyForBgp(*loaded); !ready) {
    return reloadFailed("failed", ready.error().message, ready.error().message);
  }
  site_ = *loaded;
  if (!options_.observe) setSiteSysctls(site_, *memory_);
  configureBgp();
  overrides_->setDirectory(site_.control.overrides);
  control_->configure(site_.control);
  takeSite();
  log::info("reload.done", {{"config", options_.config}, {"services", site_.services.size()}});
  return nlohmann::json{{"config", options_.config}, {"services", site_.services.size()}};
}

control::Reply Daemon::reloadFailed(std::string code, std::string message,
                                    const std::string& reason) {
  log::error("reload.failed", {{"config", options_.config},
                               {"reason", reason},
                               {"effect", "none, the old site file stays in force"}});
  return tl::unexpected(
      control::Refusal{std::move(code), std::move(message),
                       "mend it, then 'l4ward --check --config " + options_.config + "'"});
}

// Other servers in the files of `servers_from`, and nothing else of the site.
void Daemon::refreshServers() {
  if (phase_ != Phase::running) return;
  auto site = loader_.refresh();
  if (site) {
    site_ = *std::move(site);
    takeSite();
  } else {
    discovery_.watch(loader_.paths());
  }
}

void Daemon::takeSite() {
  acceptSite();
  controller_->reload(site_, Clock::now());
  scheduleTurn();
}

void Daemon::acceptSite() {
  loader_.accept(site_);
  discovery_.watch(loader_.paths());
}

}  // namespace l4ward::agent
