// The daemon's control server: socket and HTTP, the log's events, and what they are answered from.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/control_backend.h"
#include "agent/controlled.h"
#include "agent/controller.h"
#include "agent/gdnsd_extfile.h"
#include "agent/override_keeper.h"
#include "base/asio.h"
#include "config/site.h"
#include "control/frontend.h"
#include "healthcheck/prober.h"
#include "ipvs/netlink_statistics.h"

namespace l4ward::agent {

class DaemonControl final : private Controlled {
 public:
  // All must outlive it. The functions are called on the loop.
  struct Daemon {
    asio::io_context& loop;
    Controller& controller;
    healthcheck::Prober& prober;
    OverrideKeeper& overrides;
    std::function<ProcessState()> process;
    std::function<control::Reply()> reload;
    std::function<void()> resync;
    std::function<std::string()> siteText;
    bool observes = false;  // changes nothing, writes no file for others
  };

  // From now on events are kept for people to ask for. Throws std::system_error if there is no
  // thread to be had.
  DaemonControl(Daemon daemon, const std::string& socketPath);
  // On the loop. Waits for a reading that is under way.
  ~DaemonControl() override;

  // Opens the socket. What cannot be opened is in the log, and the agent goes on without it.
  void listen();
  // After the site file was read, at start and at every reload.
  void configure(const config::Control& control);
  // The virtual IPs are withdrawn, for good.
  void onWithdraw();

 private:
  void keepExtfile();
  std::optional<control::Refusal> whyNoOverride() const;

  void post(std::function<void()> work) override;
  Snapshot snapshot() override;
  ProcessState process() override { return daemon_.process(); }
  control::Reply reload() override { return daemon_.reload(); }
  control::Reply resync() override;
  control::Reply set(const control::SetRequest& request, const control::Peer& peer) override;
  control::Reply clear(const control::ClearRequest& request) override;
  std::shared_ptr<const config::Site> site() override { return daemon_.controller.site(); }
  std::string siteText() override { return daemon_.siteText(); }
  std::optional<healthcheck::Tallies> tallies() override;
  Result<ipvs::Statistics> statistics() override;
  std::size_t slots() override;
  Result<std::optional<ipvs::Connection>> connection(const ipvs::Flow& flow) override;

  Daemon daemon_;
  GdnsdExtfile extfile_;
  asio::steady_timer extfileTimer_;
  bool withdrawn_ = false;
  // The worker's.
  ipvs::NetlinkStatistics statistics_;
  bool statisticsWork_ = true;
  std::optional<std::size_t> slots_;

  ControlBackend backend_;
  control::Frontend frontend_;  // last: it ends first, and asks nobody then
};

}  // namespace l4ward::agent
