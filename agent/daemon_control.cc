#include "agent/daemon_control.h"

#include <utility>

#include "base/log.h"
#include "control/status_json.h"
#include "ipvs/table_size.h"

namespace l4ward::agent {
namespace {

constexpr const char* kGroup = "l4ward";
// gdnsd looks at the file every 31 s by default, and at least once a second.
constexpr Millis kExtfilePeriod{1000};
// A stop must not wait much longer than these for a reading that is under way.
constexpr Millis kTallyPatience{500};
constexpr Millis kReadPatience{2000};
constexpr Millis kSizePatience{3000};

control::Frontend::Options frontendOptions(const std::string& socketPath) {
  control::Frontend::Options options;
  options.socketPath = socketPath;
  options.group = kGroup;
  return options;
}

ipvs::NetlinkOptions statisticsOptions() {
  ipvs::NetlinkOptions options;
  options.timeout = kReadPatience;
  return options;
}

control::Event eventOf(log::Level level, std::string_view id, log::Fields fields, double at) {
  control::Event event;
  event.at = at;
  event.level = log::toString(level);
  event.id = id;
  for (const auto& field : fields) event.fields.emplace_back(field.key, field.value);
  return event;
}

tl::unexpected<control::Refusal> refuse(std::string code, const Error& error,
                                        std::string next = {}) {
  return tl::unexpected(control::Refusal{std::move(code), error.message, std::move(next)});
}

}  // namespace

DaemonControl::DaemonControl(Daemon daemon, const std::string& socketPath)
    : daemon_(std::move(daemon)),
      extfileTimer_(daemon_.loop),
      statistics_(statisticsOptions()),
      backend_(*this),
      frontend_(frontendOptions(socketPath), backend_) {
  log::setListener([this](log::Level level, std::string_view id, log::Fields fields, double at) {
    frontend_.add(eventOf(level, id, fields, at));
  });
}

DaemonControl::~DaemonControl() {
  log::setListener(nullptr);
}

void DaemonControl::listen() {
  if (const auto listening = frontend_.listen(); !listening) {
    log::error("control.not_listening", {{"reason", listening.error().message}});
  }
}

void DaemonControl::configure(const config::Control& control) {
  frontend_.setHttp(control.http);
  extfile_.setPath(daemon_.observes ? "" : control.gdnsdExtfile);
  if (extfile_.isWanted()) {
    keepExtfile();
  } else {
    extfileTimer_.cancel();
  }
}

void DaemonControl::onWithdraw() {
  withdrawn_ = true;
  extfile_.setAllDown();
}

// Before the agent runs it is not known what an earlier one left announced.
void DaemonControl::keepExtfile() {
  backend_.status([this](const std::shared_ptr<const control::NodeStatus>& status) {
    if (status->node.phase != "running") return;
    post([this, text = gdnsdExtfile(*status)] {
      if (!withdrawn_) extfile_.update(text);
    });
  });
  extfileTimer_.expires_after(kExtfilePeriod);
  extfileTimer_.async_wait([this](const ErrorCode& error) {
    if (!error) keepExtfile();
  });
}

void DaemonControl::post(std::function<void()> work) {
  asio::post(daemon_.loop, std::move(work));
}

Snapshot DaemonControl::snapshot() {
  return daemon_.controller.snapshot(Clock::now());
}

control::Reply DaemonControl::resync() {
  daemon_.resync();
  return nlohmann::json::object();
}

// One that observes would keep it, and the agent after it would act on it.
std::optional<control::Refusal> DaemonControl::whyNoOverride() const {
  if (!daemon_.observes) return std::nullopt;
  return control::Refusal{"observing", "the agent only observes, and changes nothing", ""};
}

control::Reply DaemonControl::set(const control::SetRequest& request, const control::Peer& peer) {
  if (auto why = whyNoOverride()) return tl::unexpected(*std::move(why));
  if (const auto known = daemon_.controller.checkSubject(request.subject); !known) {
    return refuse("unknown-subject", known.error());
  }
  if (const auto pool = daemon_.controller.poolLeftWithout(request.subject);
      pool && !request.force) {
    return refuse("last-server",
                  {request.subject.str() + " is the last healthy server of pool " + *pool},
                  "add --force if that is meant");
  }
  control::Override override;
  override.subject = request.subject;
  override.action = request.action;
  override.by = peer.user;
  override.reason = request.reason;
  override.since = OverrideKeeper::systemTime();
  if (request.seconds) override.until = override.since + *request.seconds;
  if (const auto set = daemon_.overrides.set(override); !set) return refuse("failed", set.error());
  nlohmann::json reply{{"override", override}};
  if (const auto& unsaved = daemon_.overrides.unsaved()) reply["unsaved"] = unsaved->message;
  return reply;
}

control::Reply DaemonControl::clear(const control::ClearRequest& request) {
  if (auto why = whyNoOverride()) return tl::unexpected(*std::move(why));
  if (const auto cleared = daemon_.overrides.clear(request.subject); !cleared) {
    return refuse("not-overridden", cleared.error());
  }
  return nlohmann::json{{"subject", request.subject.str()}};
}

std::optional<healthcheck::Tallies> DaemonControl::tallies() {
  return daemon_.prober.tallies(kTallyPatience);
}

Result<ipvs::Statistics> DaemonControl::statistics() {
  auto read = statistics_.read();
  if (std::exchange(statisticsWork_, read.has_value()) && !read) {
    log::warning("control.counters_failed", {{"reason", read.error().message}});
  }
  return read;
}

std::size_t DaemonControl::slots() {
  if (slots_) return *slots_;
  const auto size = ipvs::findTableSize(kSizePatience);
  if (!size) log::warning("control.slots_unknown", {{"reason", size.error().message}});
  slots_ = size ? size->slots : 0;
  return *slots_;
}

Result<std::optional<ipvs::Connection>> DaemonControl::connection(const ipvs::Flow& flow) {
  return ipvs::findConnection(flow, Clock::now() + kReadPatience);
}

}  // namespace l4ward::agent
