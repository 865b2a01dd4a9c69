#include "agent/control_backend.h"

#include <utility>
#include <variant>

#include "agent/alarms.h"
#include "agent/flow_lookup.h"
#include "agent/preview.h"
#include "agent/site_hash.h"
#include "agent/status_builder.h"
#include "agent/status_parts.h"
#include "base/signals_blocked.h"
#include "base/version.h"
#include "config/load.h"
#include "config/servers_from.h"
#include "control/status_json.h"
#include "ipvs/maglev.h"

namespace l4ward::agent {
namespace {

using control::Refusal;
using control::Reply;

constexpr std::size_t kWorkers = 1;

tl::unexpected<Refusal> refuse(std::string code, std::string message, std::string next = {}) {
  return tl::unexpected(Refusal{std::move(code), std::move(message), std::move(next)});
}

nlohmann::json toJson(const ServicePreview& service) {
  nlohmann::json json{{"key", service.key.str()},   {"name", service.name},
                      {"new", service.isNew},       {"up", service.up},
                      {"servers", service.servers}, {"operations", nlohmann::json::array()}};
  for (const auto& operation : service.operations) json["operations"].push_back(operation.change());
  if (service.shift) {
    json["moved"] = service.shift->moved;
    json["needless"] = service.shift->needless;
  }
  if (service.digestBefore) json["digest_before"] = *service.digestBefore;
  if (service.digestAfter) json["digest_after"] = *service.digestAfter;
  return json;
}

nlohmann::json toJson(const Preview& preview) {
  std::size_t operations = 0;
  auto services = nlohmann::json::array();
  for (const auto& service : preview.services) {
    operations += service.operations.size();
    services.push_back(toJson(service));
  }
  nlohmann::json json{{"text", previewText(preview)},
                      {"operations", operations},
                      {"services", std::move(services)},
                      {"new_vips", nlohmann::json::array()},
                      {"dropped_vips", nlohmann::json::array()}};
  for (const auto& vip : preview.newVips) json["new_vips"].push_back(vip.shortStr());
  for (const auto& vip : preview.droppedVips) json["dropped_vips"].push_back(vip.shortStr());
  return json;
}

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;  // clang 14 needs it said

// Who asks must not have files read that the agent may see and they may not.
Result<std::vector<config::ServersFile>> serversInForce(const config::Site& site,
                                                        const config::Pool& pool) {
  for (const auto& [name, known] : site.pools) {
    if (known.serversFrom != pool.serversFrom) continue;
    return std::vector{config::ServersFile{known.serversFrom, config::serversText(known.servers)}};
  }
  return fail(pool.serversFrom + " is not in force yet; 'l4ward --plan' reads it");
}

}  // namespace

ControlBackend::ControlBackend(Controlled& agent, Now now)
    : agent_(agent), now_(std::move(now)), worker_([] {
        const SignalsBlocked blocked;
        return asio::thread_pool(kWorkers);
      }()) {}

ControlBackend::~ControlBackend() {
  worker_.stop();
  worker_.join();
}

void ControlBackend::status(StatusReply reply) {
  std::unique_lock lock(mutex_);
  if (status_ && now_() - statusAt_ < kStatusAge) {
    const auto status = status_;
    lock.unlock();
    return reply(status);
  }
  waiting_.push_back(std::move(reply));
  if (std::exchange(underWay_, true)) return;
  lock.unlock();
  agent_.post([this] { gather(); });
}

// On the loop.
void ControlBackend::gather() {
  std::uint64_t changes = 0;
  {
    const std::lock_guard lock(mutex_);
    changes = changes_;
  }
  recent_ = std::make_shared<const Snapshot>(agent_.snapshot());
  asio::post(worker_, [this, snapshot = recent_, process = agent_.process(), changes] {
    finish(snapshot, process, changes);
  });
}

// On the worker.
void ControlBackend::finish(const SharedSnapshot& snapshot, const ProcessState& process,
                            std::uint64_t changes) {
  const auto status = build(*snapshot, process);
  std::vector<StatusReply> replies;
  {
    const std::lock_guard lock(mutex_);
    if (changes != changes_) return agent_.post([this] { gather(); });
    status_ = status;
    statusAt_ = snapshot->at;
    replies = std::exchange(waiting_, {});
    underWay_ = false;
  }
  for (const auto& reply : replies) reply(status);
}

std::shared_ptr<const control::NodeStatus> ControlBackend::build(const Snapshot& snapshot,
                                                                 const ProcessState& process) {
  auto status = statusOf(snapshot, process);
  if (const auto tallies = agent_.tallies()) addTallies(status, snapshot, *tallies);
  if (const auto statistics = agent_.statistics()) {
    addStatistics(status, *statistics, process.at);
  }
  addConnections(status);
  shares_.add(status, snapshot, agent_.slots());
  addDifferences(status, snapshot, agent_.slots());
  const WallClock clock(snapshot.at, process.at);
  status.alarms = alarmsOf(status, snapshot.driftAt ? clock.of(*snapshot.driftAt) : 0);
  return std::make_shared<const control::NodeStatus>(std::move(status));
}

void ControlBackend::change(ReplyTo reply, std::function<Reply()> change) {
  agent_.post([this, reply = std::move(reply), change = std::move(change)] {
    auto done = change();
    recent_.reset();
    {
      const std::lock_guard lock(mutex_);
      ++changes_;
      status_.reset();
    }
    reply(std::move(done));
  });
}

void ControlBackend::look(Millis age, ReplyTo reply, std::function<Reply(const Snapshot&)> answer) {
  agent_.post([this, age, reply = std::move(reply), answer = std::move(answer)] {
    if (!recent_ || now_() - recent_->at >= age) {
      recent_ = std::make_shared<const Snapshot>(agent_.snapshot());
    }
    asio::post(worker_, [reply, answer, snapshot = recent_] { reply(answer(*snapshot)); });
  });
}

void ControlBackend::handle(const control::Request& request, const control::Peer& peer,
                            ReplyTo reply) {
  const auto noSuch = [&] { reply(refuse("bad-request", "this is asked in another way")); };
  std::visit(
      Overloaded{
          [&](const control::StatusRequest&) { noSuch(); },
          [&](const control::EventsRequest&) { noSuch(); },
          [&](const control::ReloadRequest&) {
            change(std::move(reply), [this] { return agent_.reload(); });
          },
          [&](const control::ResyncRequest&) {
            change(std::move(reply), [this] { return agent_.resync(); });
          },
          [&](const control::SetRequest& set) {
            change(std::move(reply), [this, set, peer] { return agent_.set(set, peer); });
          },
          [&](const control::ClearRequest& clear) {
            change(std::move(reply), [this, clear] { return agent_.clear(clear); });
          },
          [&](const control::PlanRequest& wanted) {
            look(Millis(0), std::move(reply),
                 [this, wanted](const Snapshot& snapshot) { return plan(wanted, snapshot); });
          },
          [&](const control::LookupRequest& wanted) {
            look(kLookupAge, std::move(reply),
                 [this, wanted](const Snapshot& snapshot) { return lookup(wanted, snapshot); });
          },
          [&](const control::ConfigRequest&) { config(std::move(reply)); },
          [&](const control::VersionRequest&) {
            reply(nlohmann::json{{"version", kVersion}, {"protocol", control::kProtocolVersion}});
          },
      },
      request);
}

Reply ControlBackend::plan(const control::PlanRequest& request, const Snapshot& snapshot) {
  const auto site = config::loadSite(
      request.text, request.file, snapshot.site->node,
      [&snapshot](const config::Pool& pool) { return serversInForce(*snapshot.site, pool); });
  if (!site) {
    return refuse("invalid-site", config::linesOf(site.error()));
  }
  const auto slots = agent_.slots();
  return toJson(preview(*site, snapshot.actual, snapshot.memory,
                        slots == 0 ? ipvs::MaglevTable::kDefaultSize : slots));
}

Reply ControlBackend::lookup(const control::LookupRequest& request, const Snapshot& snapshot) {
  const auto protocol = ipvs::parseProtocol(request.protocol);
  if (!protocol) {
    return refuse("bad-request",
                  "protocol: found '" + request.protocol + "', expected tcp, udp or sctp");
  }
  if (request.client.address.family() != request.vip.address.family()) {
    return refuse("bad-request", "the client and the virtual IP must both be IPv4 or both IPv6");
  }
  const ipvs::Flow flow{*protocol, request.client, request.vip};
  const auto held = agent_.connection(flow);
  auto found = lookUp(snapshot, flow, agent_.slots(), held.value_or(std::nullopt));
  if (!held) found.text += " Whether the kernel holds this flow: " + held.error().message + ".";
  return nlohmann::json(found);
}

void ControlBackend::config(ReplyTo reply) {
  agent_.post([this, reply = std::move(reply)] {
    asio::post(worker_, [reply, site = agent_.site(), path = agent_.process().siteFile,
                         text = agent_.siteText()] {
      reply(nlohmann::json{{"path", path}, {"hash", siteHash(*site)}, {"text", text}});
    });
  });
}

}  // namespace l4ward::agent
