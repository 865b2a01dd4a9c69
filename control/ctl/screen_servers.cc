#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "control/ctl/screens.h"
#include "control/ctl/table.h"
#include "control/ctl/tones.h"

namespace l4ward::ctl {
namespace {

using control::NodeStatus;
using control::Server;
using Kind = Column::Kind;

bool isMeant(const std::string& wanted, const control::Service& service) {
  return wanted.empty() || service.name == wanted || service.key == wanted;
}

// Of a server over the services that are meant.
struct Portion {
  std::optional<double> least, most;
  bool weightless = true;  // the kernel gives it nothing new in any of them
  bool anywhere = false;
};

using ServerKey = std::pair<std::string, std::string>;  // pool, name

std::map<ServerKey, Portion> portionsOf(const NodeStatus& status, const std::string& wanted) {
  std::map<ServerKey, Portion> portions;
  for (const auto& service : status.services) {
    if (!isMeant(wanted, service)) continue;
    for (const auto& destination : service.destinations) {
      auto& portion = portions[{destination.pool, destination.server}];
      portion.least = std::min(portion.least.value_or(1), destination.share);
      portion.most = std::max(portion.most.value_or(0), destination.share);
      portion.anywhere = true;
      if (destination.weight > 0) portion.weightless = false;
    }
  }
  return portions;
}

std::string shareText(const Portion& portion) {
  if (!portion.least) return "-";
  const auto least = percent(*portion.least);
  const auto most = percent(*portion.most);
  return least == most ? least : least + " to " + most;
}

std::string weightText(const Server& server, const Portion& portion) {
  if (portion.anywhere && portion.weightless) return fmt::format("0 of {}", server.weight);
  return std::to_string(server.weight);
}

const control::Override* overrideOf(const NodeStatus& status, const Server& server) {
  const control::Override* found = nullptr;
  for (const auto& override : status.overrides) {
    const auto& subject = override.subject;
    const bool meant = subject.kind == control::Subject::Kind::server &&
                       subject.name == server.name &&
                       (subject.pool.empty() || subject.pool == server.pool);
    // The stronger one counts.
    if (meant && (found == nullptr || override.action > found->action)) found = &override;
  }
  return found;
}

std::string overrideCell(const NodeStatus& status, const Server& server) {
  const auto* override = overrideOf(status, server);
  if (override == nullptr) return "";
  std::string text{control::toString(override->action)};
  if (override->until > 0) text += " " + age(override->until - status.at);
  return text;
}

std::string summaryOf(const std::map<std::string, std::size_t>& states) {
  std::vector<std::string> parts;
  for (const char* state : {"up", "warming", "draining", "disabled", "down", "unknown"}) {
    const auto found = states.find(state);
    if (found != states.end()) parts.push_back(fmt::format("{} {}", found->second, state));
  }
  return join(parts, ", ");
}

}  // namespace

bool matches(const NodeStatus& status, const ServerFilter& filter, const Server& server) {
  if (!filter.pool.empty() && server.pool != filter.pool) return false;
  if (filter.down && isWell(server.state)) return false;
  if (filter.service.empty()) return true;
  return std::any_of(status.services.begin(), status.services.end(),
                     [&](const control::Service& service) {
                       return isMeant(filter.service, service) &&
                              (service.pool == server.pool || service.backupPool == server.pool);
                     });
}

std::string serversScreen(const NodeStatus& status, const ServerView& view, const Style& style) {
  const auto portions = portionsOf(status, view.filter.service);
  Table table({{"POOL", Kind::cut},
               {"SERVER", Kind::cut},
               {"STATE"},
               {"SINCE", Kind::right},
               {"WEIGHT", Kind::right},
               {"SHARE", Kind::right},
               {"ACTIVE", Kind::right},
               {"CLOSING", Kind::right},
               {"OVERRIDE"},
               {"BECAUSE", Kind::wrap}});
  std::map<std::string, std::size_t> states;
  for (const auto& server : status.servers) {
    if (!matches(status, view.filter, server)) continue;
    ++states[server.state];
    const auto found = portions.find({server.pool, server.name});
    const auto portion = found == portions.end() ? Portion{} : found->second;
    const bool counted = status.countersAt > 0;
    table.row({server.pool,
               server.name,
               {server.state, toneOf(server.state)},
               ago(server.since, status.at),
               weightText(server, portion),
               shareText(portion),
               counted ? count(server.activeConnections) : "-",
               counted ? count(server.inactiveConnections) : "-",
               {overrideCell(status, server), Tone::warning},
               server.because});
    if (view.verbose) table.note(join(server.addresses, ", "), Tone::dim);
  }
  if (table.empty()) return view.filter.down ? "every server is up\n" : "no servers\n";
  return table.str(style) + painted(summaryOf(states), Tone::dim, style) + "\n";
}

}  // namespace l4ward::ctl
