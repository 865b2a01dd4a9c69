#include "control/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <map>

#include "control/metrics_servers.h"

namespace l4ward::control {
namespace {

constexpr std::array kPhases{"starting",    "running",  "draining",
                             "withdrawing", "stopping", "observing"};
constexpr std::array kVipStates{"announced", "last-resort", "draining", "withdrawn",
                                "not-announced"};

void addNode(MetricFamilies& out, const NodeStatus& status) {
  const Node& node = status.node;
  out.add("l4ward_build_info", "What runs here.", {{Labels{{"version", node.version}}, 1.0}});
  out.add("l4ward_node_info", "The node, and the site file's hash: equal where the fleet agrees.",
          {{Labels{{"node", node.name}, {"site_hash", node.siteHash}}, 1.0}});
  out.add("l4ward_start_time_seconds", "When the agent started, since 1970.", node.startedAt);
  out.add("l4ward_ready", "IPVS is programmed and each server has its verdict.",
          asNumber(node.ready));
  out.add("l4ward_suspect", "Every check failed at once: the node distrusts itself.",
          asNumber(node.suspect));
  out.addStates(
      "l4ward_phase", "1 for the phase of the agent's life.", std::vector<Node>{node},
      [](const Node&) { return Labels{}; }, [](const Node& it) { return it.phase; }, kPhases);
  out.add("l4ward_maglev_table_slots", "Slots of this kernel's Maglev tables; 0: not known.",
          asNumber(node.tableSlots));
}

void addReloads(MetricFamilies& out, const Reloads& reloads) {
  out.add("l4ward_reloads_total", "Reloads of the site file.",
          {{Labels{{"result", "success"}}, asNumber(reloads.succeeded)},
           {Labels{{"result", "failure"}}, asNumber(reloads.failed)}});
  out.add("l4ward_last_reload_successful", "0: the file on disk is not the one in force.",
          asNumber(reloads.lastSucceeded));
  out.add("l4ward_last_reload_timestamp_seconds", "When it was; 0: never.", reloads.lastAt);
}

void addWork(MetricFamilies& out, const Work& work) {
  out.add("l4ward_turns_total", "Turns of the loop that compared desired with actual state.",
          asNumber(work.turns));
  out.add("l4ward_ipvs_operations_total", "Operations sent to IPVS.", asNumber(work.operations));
  out.add("l4ward_ipvs_operation_failures_total", "Operations that IPVS refused.",
          asNumber(work.failedOperations));
  out.add("l4ward_ipvs_drift_total", "Differences that others had made, found and mended.",
          asNumber(work.drift));
  out.add("l4ward_ipvs_apply_duration_seconds", "How long it took to apply a plan.",
          {{Labels{}, work.applySeconds}});
  out.add("l4ward_ipvs_plan_operations", "Operations of plans that had any.",
          {{Labels{}, work.planOperations}});
  out.add("l4ward_loop_lag_seconds", "How late the loop came to what was due.",
          {{Labels{}, work.loopLagSeconds}});
  out.add("l4ward_probe_lateness_seconds", "How late probes started.",
          {{Labels{}, work.probeLatenessSeconds}});
}

void addAlarms(MetricFamilies& out, const std::vector<Alarm>& alarms) {
  std::map<std::string, double> count{{"critical", 0}, {"warning", 0}};
  for (const auto& alarm : alarms) ++count[alarm.severity];
  std::vector<std::pair<Labels, double>> values;
  for (const auto& [severity, number] : count) values.push_back({{{"severity", severity}}, number});
  out.add("l4ward_alarms", "What is wrong now, as `l4wardctl status` shows it.", values);
}

void addDifferences(MetricFamilies& out, const std::vector<Difference>& differences) {
  std::map<std::string, double> count;
  for (const auto* kind : {"service", "server", "foreign", "vip", "global", "sysctl"}) count[kind];
  for (const auto& difference : differences) ++count[difference.kind];
  std::vector<std::pair<Labels, double>> values;
  for (const auto& [kind, number] : count) values.push_back({{{"kind", kind}}, number});
  out.add("l4ward_differences", "While observing: what is not as the agent would have it.", values);
}

void addOverrides(MetricFamilies& out, const std::vector<Override>& overrides) {
  out.add("l4ward_overrides", "Overrides by people and files that are in force.",
          asNumber(overrides.size()));
  static constexpr std::array<Column<Override>, 2> columns{{
      {"l4ward_override_start_timestamp_seconds", "Since when an override is in force.",
       [](const Override& it) { return it.since; }},
      {"l4ward_override_end_timestamp_seconds", "When it ends; 0: when it is taken back.",
       [](const Override& it) { return it.until; }},
  }};
  out.add<Override>(columns, overrides, [](const Override& it) {
    return Labels{{"subject", it.subject.str()},
                  {"action", std::string(toString(it.action))},
                  {"source", it.fromFile ? "file" : "command"}};
  });
}

void addBgp(MetricFamilies& out, const NodeStatus& status) {
  const Relay& relay = status.relay;
  out.add("l4ward_bgp_configured", "The site file has a bgp section.", asNumber(relay.configured));
  if (!relay.configured) return;
  out.add("l4ward_bgp_relay_connected", "The channel to ExaBGP works.", asNumber(relay.connected));
  out.add("l4ward_bgp_relay_synced", "ExaBGP has acknowledged all routes.", asNumber(relay.synced));
  out.add("l4ward_bgp_unheard", "Something is announced, and no session has been up for a while.",
          asNumber(relay.unheard));
  out.add("l4ward_bgp_updates_total", "Sets of routes told to ExaBGP.", asNumber(relay.updates));
  static constexpr std::array<Column<Neighbor>, 2> columns{{
      {"l4ward_bgp_session_up", "The session is established.",
       [](const Neighbor& it) { return asNumber(it.state == "up"); }},
      {"l4ward_bgp_routes", "Routes that the neighbor is told of.",
       [](const Neighbor& it) { return asNumber(it.routes); }},
  }};
  out.add<Neighbor>(columns, status.neighbors, [](const Neighbor& it) {
    return Labels{{"neighbor", it.address}, {"peer_as", std::to_string(it.peerAs)}};
  });
}

void addVips(MetricFamilies& out, const std::vector<Vip>& vips) {
  const auto labels = [](const Vip& it) { return Labels{{"vip", it.prefix}}; };
  out.addStates(
      "l4ward_vip_state", "1 for the state of a virtual IP.", vips, labels,
      [](const Vip& it) { return it.state; }, kVipStates);
  static constexpr std::array<Column<Vip>, 1> columns{{
      {"l4ward_vip_on_interface", "The address is on the interface.",
       [](const Vip& it) { return asNumber(it.onInterface); }},
  }};
  out.add<Vip>(columns, vips, labels);
}

bool truncated(const NodeStatus& status) {
  std::size_t destinations = 0;
  for (const auto& service : status.services) destinations += service.destinations.size();
  return std::max({destinations, status.servers.size(), status.checks.size()}) > kMaxMetricItems;
}

}  // namespace

std::string metricsText(const NodeStatus& status) {
  MetricFamilies out;
  addNode(out, status);
  addReloads(out, status.node.reloads);
  addWork(out, status.node.work);
  addAlarms(out, status.alarms);
  addOverrides(out, status.overrides);
  addDifferences(out, status.differences);
  addBgp(out, status);
  addVips(out, status.vips);
  addServices(out, status);
  const bool each = !truncated(status);
  out.add("l4ward_metrics_truncated", "1: too many servers to show each of them.", asNumber(!each));
  out.add("l4ward_kernel_counters_timestamp_seconds",
          "When the kernel's counters were read; 0: they could not be.", status.countersAt);
  addServers(out, status, each);
  addChecks(out, status.checks, each);
  return prometheus::TextSerializer().prometheus::Serializer::Serialize(out.all());
}

}  // namespace l4ward::control
