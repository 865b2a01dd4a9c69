#include "control/metrics_servers.h"

#include <array>
#include <map>

namespace l4ward::control {
namespace {

// Both are needed, as a service of the site file has one key an address and port.
Labels labelsOf(const Service& service) {
  return {{"service", service.key}, {"name", service.name}};
}

constexpr std::array<Column<Service>, 4> kServiceColumns{{
    {"l4ward_service_programmed", "The kernel holds the service as it should be.",
     [](const Service& it) { return asNumber(it.programmed); }},
    {"l4ward_service_quorum", "Enough servers are up.",
     [](const Service& it) { return asNumber(it.quorum); }},
    {"l4ward_service_servers", "Servers of the pool in use.",
     [](const Service& it) { return asNumber(it.total); }},
    {"l4ward_service_servers_up", "Those of them that are up.",
     [](const Service& it) { return asNumber(it.up); }},
}};

constexpr std::array<Column<Service>, 5> kServiceCounters{{
    {"l4ward_service_connections_total", "Connections scheduled (kernel).",
     [](const Service& it) { return asNumber(it.connections); }},
    {"l4ward_service_received_packets_total", "Packets from clients (kernel).",
     [](const Service& it) { return asNumber(it.packetsIn); }},
    {"l4ward_service_received_bytes_total", "Bytes from clients (kernel).",
     [](const Service& it) { return asNumber(it.bytesIn); }},
    {"l4ward_service_sent_packets_total", "Packets to clients that came through here (kernel).",
     [](const Service& it) { return asNumber(it.packetsOut); }},
    {"l4ward_service_sent_bytes_total", "Bytes to clients that came through here (kernel).",
     [](const Service& it) { return asNumber(it.bytesOut); }},
}};

struct Placed {
  const Service* service;
  const Destination* destination;
};

constexpr std::array<Column<Placed>, 3> kDestinationColumns{{
    {"l4ward_destination_weight", "The weight in the kernel; 0: no new connections.",
     [](const Placed& it) { return asNumber(std::uint64_t{it.destination->weight}); }},
    {"l4ward_destination_nominal_weight", "The weight that its share of the table comes from.",
     [](const Placed& it) { return asNumber(std::uint64_t{it.destination->nominal}); }},
    {"l4ward_destination_table_ratio", "Its share of the Maglev table's slots, 0 to 1.",
     [](const Placed& it) { return it.destination->share; }},
}};

constexpr std::array<Column<Placed>, 7> kDestinationCounters{{
    {"l4ward_destination_active_connections", "Established connections (kernel).",
     [](const Placed& it) { return asNumber(it.destination->activeConnections); }},
    {"l4ward_destination_inactive_connections", "Other connections: opening, closing (kernel).",
     [](const Placed& it) { return asNumber(it.destination->inactiveConnections); }},
    {"l4ward_destination_connections_total", "Connections scheduled (kernel).",
     [](const Placed& it) { return asNumber(it.destination->connections); }},
    {"l4ward_destination_received_packets_total", "Packets from clients (kernel).",
     [](const Placed& it) { return asNumber(it.destination->packetsIn); }},
    {"l4ward_destination_received_bytes_total", "Bytes from clients (kernel).",
     [](const Placed& it) { return asNumber(it.destination->bytesIn); }},
    {"l4ward_destination_sent_packets_total", "Packets to clients that came through here (kernel).",
     [](const Placed& it) { return asNumber(it.destination->packetsOut); }},
    {"l4ward_destination_sent_bytes_total", "Bytes to clients that came through here (kernel).",
     [](const Placed& it) { return asNumber(it.destination->bytesOut); }},
}};

Labels labelsOf(const Placed& placed) {
  const auto& [service, destination] = placed;
  return {{"service", service->key},
          {"address", destination->address},
          {"pool", destination->pool},
          {"server", destination->server}};
}

Labels labelsOf(const Server& server) {
  return {{"pool", server.pool}, {"server", server.name}};
}

constexpr std::array<Column<Server>, 1> kServerColumns{{
    {"l4ward_server_weight", "The weight in the site file.",
     [](const Server& it) { return asNumber(std::uint64_t{it.weight}); }},
}};

constexpr std::array kServerStates{"up", "warming", "draining", "disabled", "down", "unknown"};
constexpr std::array kUses{"checked", "all", "backup"};

void addPools(MetricFamilies& out, const std::vector<Server>& servers) {
  std::map<std::pair<std::string, std::string>, double> count;
  for (const auto& server : servers) {
    for (const char* state : kServerStates) count.try_emplace({server.pool, state}, 0);
    ++count[{server.pool, server.state}];
  }
  std::vector<std::pair<Labels, double>> values;
  for (const auto& [key, number] : count) {
    values.push_back({{{"pool", key.first}, {"state", key.second}}, number});
  }
  out.add("l4ward_pool_servers", "Servers of a pool by state.", values);
}

// Connections that somebody may wait for: of servers taken out by people or the site file.
void addDraining(MetricFamilies& out, const NodeStatus& status) {
  std::map<std::string, double> left;
  for (const auto& server : status.servers) {
    auto& sum = left[server.pool];
    if (server.state == "draining" || server.state == "disabled") {
      sum += asNumber(server.activeConnections);
    }
  }
  for (const auto& service : status.services) {
    for (const auto& destination : service.destinations) {
      if (destination.removed) left[destination.pool] += asNumber(destination.activeConnections);
    }
  }
  std::vector<std::pair<Labels, double>> values;
  for (const auto& [pool, sum] : left) values.push_back({{{"pool", pool}}, sum});
  out.add("l4ward_pool_draining_connections",
          "Established connections left on servers that are draining, disabled or removed.",
          values);
}

// Sums of checks with one name. Their buckets are the same in one agent; others are left out.
void addTo(Histogram& sum, const Histogram& more) {
  if (sum.counts.empty()) {
    sum = more;
  } else if (sum.bounds == more.bounds && sum.counts.size() == more.counts.size()) {
    for (std::size_t i = 0; i < more.counts.size(); ++i) sum.counts[i] += more.counts[i];
    sum.sum += more.sum;
  }
}

void addProbes(MetricFamilies& out, const std::vector<Check>& checks) {
  std::map<std::string, Histogram> seconds;
  std::map<std::pair<std::string, std::string>, double> made;
  for (const auto& check : checks) {
    addTo(seconds[check.name], check.seconds);
    for (const auto& [outcome, count] : check.made) {
      made[{check.name, outcome}] += asNumber(count);
    }
  }
  std::vector<std::pair<Labels, double>> probes;
  for (const auto& [key, count] : made) {
    probes.push_back({{{"check", key.first}, {"outcome", key.second}}, count});
  }
  out.add("l4ward_probes_total", "Probes by outcome: pass, drain, or the kind of failure.", probes);
  std::vector<std::pair<Labels, Histogram>> durations;
  for (const auto& [name, histogram] : seconds) durations.push_back({{{"check", name}}, histogram});
  out.add("l4ward_probe_duration_seconds", "How long probes took.", durations);
}

constexpr std::array<Column<Check>, 3> kCheckColumns{{
    {"l4ward_check_up", "The check says that the server may have new connections.",
     [](const Check& it) { return asNumber(it.health == "up"); }},
    {"l4ward_check_broken", "Probes cannot be made on this node.",
     [](const Check& it) { return asNumber(it.localError); }},
    {"l4ward_check_verified", "Its state rests on an answer, not on what an earlier agent left.",
     [](const Check& it) { return asNumber(it.verified); }},
}};

}  // namespace

void addServices(MetricFamilies& out, const NodeStatus& status) {
  const auto& services = status.services;
  const auto labels = [](const Service& it) { return labelsOf(it); };
  std::vector<std::pair<Labels, double>> info, digests;
  for (const auto& service : services) {
    auto all = labels(service);
    if (!service.digest.empty()) {
      digests.push_back({all, 1});
      digests.back().first.push_back({"digest", service.digest});
    }
    all.push_back({"pool", service.pool});
    all.push_back({"scheduler", service.scheduler});
    info.push_back({all, 1});
  }
  out.add("l4ward_service_info", "A service's pool and scheduler.", info);
  out.add("l4ward_service_digest_info",
          "The digest of a service's Maglev table: equal on nodes that decide alike.", digests);
  out.add<Service>(kServiceColumns, services, labels);
  out.addStates(
      "l4ward_service_uses",
      "1 for the servers it uses: those that checks pass, all (panic), the backup pool.", services,
      labels, [](const Service& it) { return it.uses; }, kUses);
  if (status.countersAt > 0) out.add<Service>(kServiceCounters, services, labels);
}

void addServers(MetricFamilies& out, const NodeStatus& status, bool each) {
  addPools(out, status.servers);
  if (status.countersAt > 0) addDraining(out, status);
  if (!each) return;
  const auto ofServer = [](const Server& it) { return labelsOf(it); };
  out.addStates(
      "l4ward_server_state", "1 for the state of a server in a pool.", status.servers, ofServer,
      [](const Server& it) { return it.state; }, kServerStates);
  out.add<Server>(kServerColumns, status.servers, ofServer);
  std::vector<Placed> placed;
  for (const auto& service : status.services) {
    for (const auto& destination : service.destinations) placed.push_back({&service, &destination});
  }
  const auto labels = [](const Placed& it) { return labelsOf(it); };
  out.add<Placed>(kDestinationColumns, placed, labels);
  // Counters that could not be read are absent: a zero would look like a restart.
  if (status.countersAt > 0) out.add<Placed>(kDestinationCounters, placed, labels);
}

void addChecks(MetricFamilies& out, const std::vector<Check>& checks, bool each) {
  addProbes(out, checks);
  if (!each) return;
  out.add<Check>(kCheckColumns, checks, [](const Check& it) {
    return Labels{{"check", it.name}, {"server", it.server}, {"target", it.target}, {"id", it.id}};
  });
}

}  // namespace l4ward::control
