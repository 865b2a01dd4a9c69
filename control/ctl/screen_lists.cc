// Services, virtual IPs, BGP, overrides: lists of what the node has.
#include <fmt/format.h>

#include "base/hash.h"
#include "control/ctl/screens.h"
#include "control/ctl/table.h"
#include "control/ctl/tones.h"

namespace l4ward::ctl {

using control::NodeStatus;
using Kind = Column::Kind;

std::string servicesScreen(const NodeStatus& status, const Style& style) {
  if (status.services.empty()) return "no services\n";
  Table table({{"SERVICE"},
               {"NAME", Kind::cut},
               {"POOL", Kind::cut},
               {"UP", Kind::right},
               {"CONNECTIONS", Kind::right},
               {"IN", Kind::right},
               {"QUORUM", Kind::wrap}});
  for (const auto& service : status.services) {
    std::string quorum = service.quorum ? "yes: " : "NO: ";
    quorum += service.quorumText;
    if (service.uses == "all") quorum += "; panic: all servers are used";
    if (service.uses == "backup") quorum += "; backup pool " + service.backupPool + " serves";
    if (!service.programmed) quorum += "; not programmed";
    const auto tone = !service.quorum                                   ? Tone::bad
                      : service.uses == "checked" && service.programmed ? Tone::plain
                                                                        : Tone::warning;
    const auto counted = [&](std::uint64_t number) {
      return status.countersAt > 0 ? count(number) : std::string("-");
    };
    table.row({service.key,
               service.name.empty() ? "(dropped)" : service.name,
               service.pool,
               fmt::format("{}/{}", service.up, service.total),
               counted(service.connections),
               counted(service.bytesIn) + (status.countersAt > 0 ? "B" : ""),
               {quorum, tone}});
  }
  return table.str(style);
}

std::string vipsScreen(const NodeStatus& status, const Style& style) {
  if (status.vips.empty()) return "no virtual IPs\n";
  Table table({{"VIP"},
               {"STATE"},
               {"SINCE", Kind::right},
               {"ON " + status.node.interface},
               {"HELD", Kind::right},
               {"SERVICES", Kind::cut},
               {"BECAUSE", Kind::wrap}});
  for (const auto& vip : status.vips) {
    table.row({vip.prefix,
               {vip.state, toneOf(vip.state)},
               ago(vip.since, status.at),
               vip.onInterface ? Cell("yes") : Cell("NO", Tone::bad),
               vip.heldUntil > status.at ? age(vip.heldUntil - status.at) : "",
               join(vip.services, ", "),
               vip.because});
  }
  return table.str(style);
}

namespace {

std::string relayText(const NodeStatus& status, const Style& style) {
  const auto& relay = status.relay;
  if (!relay.configured) {
    return "BGP is not configured: the site file has no `bgp` section, nothing is announced\n";
  }
  std::string text = "relay ";
  text += relay.connected ? painted("connected", Tone::good, style)
                          : painted("NOT connected", Tone::bad, style);
  text += relay.synced ? ", ExaBGP has acknowledged all that it was told"
                       : painted(", ExaBGP has not acknowledged all yet", Tone::warning, style);
  text += "; " + plural(relay.updates, "update") + "\n";
  if (relay.unheard) {
    text += painted("nobody hears it: no session is up, though something is announced", Tone::bad,
                    style) +
            "\n";
  }
  return text;
}

}  // namespace

std::string bgpScreen(const NodeStatus& status, const Style& style) {
  std::string text = relayText(status, style);
  if (!status.relay.configured) return text;
  Table neighbors({{"NEIGHBOR"},
                   {"AS", Kind::right},
                   {"STATE"},
                   {"SINCE", Kind::right},
                   {"ROUTES", Kind::right},
                   {"REASON", Kind::wrap}});
  for (const auto& neighbor : status.neighbors) {
    neighbors.row({neighbor.address,
                   std::to_string(neighbor.peerAs),
                   {neighbor.state, toneOf(neighbor.state)},
                   ago(neighbor.since, status.at),
                   std::to_string(neighbor.routes),
                   neighbor.reason});
  }
  if (!neighbors.empty()) text += "\n" + neighbors.str(style);
  Table routes(
      {{"ROUTE"}, {"STATE"}, {"SINCE", Kind::right}, {"HELD", Kind::right}, {"TOLD", Kind::wrap}});
  for (const auto& vip : status.vips) {
    routes.row({vip.prefix,
                {vip.state, toneOf(vip.state)},
                ago(vip.since, status.at),
                vip.heldUntil > status.at ? age(vip.heldUntil - status.at) : "",
                vip.neighbors.empty() ? "nobody" : join(vip.neighbors, ", ")});
  }
  if (!routes.empty()) text += "\n" + routes.str(style);
  return text;
}

std::string overrideText(const control::Override& override, double now) {
  std::string text{control::toString(override.action)};
  if (!override.by.empty()) text += " by " + override.by;
  if (override.until > 0) text += ", " + age(override.until - now) + " left";
  if (!override.reason.empty()) text += ": " + override.reason;
  return text;
}

std::string overridesScreen(const NodeStatus& status, const Style& style) {
  if (status.overrides.empty()) return "no overrides\n";
  Table table({{"OVERRIDE"},
               {"OF", Kind::cut},
               {"SINCE", Kind::right},
               {"LEFT"},
               {"BY", Kind::cut},
               {"REASON", Kind::wrap}});
  for (const auto& override : status.overrides) {
    table.row({{std::string(control::toString(override.action)), Tone::warning},
               override.subject.str(),
               ago(override.since, status.at),
               override.until > 0  ? age(override.until - status.at)
               : override.fromFile ? "with its file"
                                   : "for ever",
               override.by,
               override.reason});
  }
  return table.str(style);
}

std::string totalDigest(const NodeStatus& status) {
  std::string all;
  for (const auto& service : status.services) all += service.key + " " + service.digest + "\n";
  return hashText(fnv1a(all));
}

std::string digestScreen(const NodeStatus& status, const Style& style) {
  if (status.services.empty()) return "no services\n";
  Table table({{"SERVICE"}, {"NAME", Kind::cut}, {"DIGEST"}});
  for (const auto& service : status.services) {
    table.row({service.key, service.name.empty() ? "(dropped)" : service.name,
               service.digest.empty() ? Cell("not known", Tone::warning) : Cell(service.digest)});
  }
  std::string total = totalDigest(status);
  for (const std::size_t at : {12U, 8U, 4U}) total.insert(at, "-");
  return table.str(style) + "\n" + painted(total, Tone::strong, style) + "  over " +
         plural(status.services.size(), "service") + "\n";
}

}  // namespace l4ward::ctl
