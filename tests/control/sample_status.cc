#include "tests/control/sample_status.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace l4ward::control {
namespace {

constexpr double kNow = 1767225600;  // 2026-01-01 00:00 UTC

Histogram latencies(std::uint64_t probes) {
  return {{0.001, 0.01, 0.1, 1},
          {probes / 2, probes, probes, probes, probes},
          0.002 * static_cast<double>(probes)};
}

Node node() {
  Node node;
  node.name = "lb4-1";
  node.version = "0.1.0";
  node.pid = 4711;
  node.startedAt = kNow - 3 * 86400 - 4000;
  node.phase = "running";
  node.ready = true;
  node.siteFile = "/etc/l4ward/site.yaml";
  node.siteHash = "5f0c2a9be1d47703";
  node.interface = "lo";
  node.tableSlots = 4093;
  node.reloads = {7, 1, kNow - 7300, true, ""};
  node.work = {1893,
               212,
               1,
               3,
               {{0.0005, 0.005, 0.05}, {20, 44, 45, 45}, 0.06},
               {{1, 10, 100}, {30, 44, 45, 45}, 212},
               {{0.001, 0.01, 0.1}, {1850, 1893, 1893, 1893}, 0.7},
               {{0.001, 0.01}, {5990, 6012, 6013}, 1.2}};
  return node;
}

Check check(const std::string& name, const std::string& server, const std::string& pool,
            const std::string& target) {
  Check check;
  check.id = name + "/" + server + "/" + target;
  check.name = name;
  check.server = server;
  check.pools = {pool};
  check.target = target;
  check.how = "http via tunnel";
  check.health = "up";
  check.verified = true;
  check.needed = 3;
  check.since = kNow - 90000;
  check.last = {kNow - 1, "pass", "", "", 0.0021};
  check.made = {{"pass", 44000}, {"timeout", 3}};
  check.seconds = latencies(44003);
  return check;
}

void fail(Check& check, const std::string& kind, const std::string& reason) {
  check.health = "down";
  check.since = kNow - 754;
  check.last = {kNow - 2, "fail", kind, reason, 0.0017};
  check.made[kind] = 380;
}

Server server(const std::string& pool, const std::string& name, const std::string& address,
              const std::string& state, const std::string& because, std::uint64_t active) {
  return {pool, name, {address}, 1, state, because, kNow - 90000, active, active / 3};
}

Destination destination(const Server& server, unsigned port, double share, std::uint64_t active) {
  Destination result;
  result.address = fmt::format("{}:{}", server.addresses[0], port);
  result.server = server.name;
  result.pool = server.pool;
  result.weight = server.state == "up" ? 1 : 0;
  result.share = share;
  result.activeConnections = active;
  result.inactiveConnections = active / 3;
  result.connections = 1000 * active;
  result.packetsIn = 15000 * active;
  result.bytesIn = 1500000 * active;
  return result;
}

Service service(const std::string& key, const std::string& name, const std::string& vip,
                const std::string& pool) {
  Service service;
  service.key = key;
  service.name = name;
  service.vips = {vip};
  service.pool = pool;
  service.scheduler = "mh";
  service.programmed = true;
  service.quorum = true;
  service.uses = "checked";
  return service;
}

void count(Service& service, std::uint64_t up, std::uint64_t quorum) {
  service.up = up;
  for (const auto& destination : service.destinations) {
    service.total += destination.removed ? 0 : 1;
    service.connections += destination.connections;
    service.packetsIn += destination.packetsIn;
    service.bytesIn += destination.bytesIn;
  }
  service.quorum = up >= quorum;
  service.quorumText = fmt::format("{} of {} servers up, quorum {}", up, service.total, quorum);
}

std::vector<Server> edgeServers() {
  return {server("edge", "lb7-1", "192.0.2.101", "up", "", 412),
          server("edge", "lb7-2", "192.0.2.102", "down", "healthz: status 503, expected 200", 6),
          server("edge", "lb7-3", "192.0.2.103", "draining", "drained by anna: kernel update", 58),
          server("edge", "<script>alert(1)</script>", "192.0.2.104", "up", "", 388)};
}

Service web(unsigned port, const std::vector<Server>& servers) {
  auto result = service(fmt::format("tcp 198.51.100.1:{}", port), "web", "198.51.100.1/32", "edge");
  result.digest = fmt::format("mh1:4093:7d3a41c0e5b2{}", port);
  for (const auto& server : servers) {
    result.destinations.push_back(destination(server, port, 0.25, server.activeConnections / 2));
  }
  result.destinations[3].share = 0.2478;
  result.destinations[0].share = 0.2522;
  Server old = server("edge", "lb7-0", "192.0.2.100", "up", "", 0);
  result.destinations.push_back(destination(old, port, 0, 17));
  result.destinations.back().removed = true;
  result.destinations.back().weight = 0;
  count(result, 2, 2);
  return result;
}

void addDns(NodeStatus& status) {
  const auto server1 = server("resolvers", "ns-1", "192.0.2.111", "down", "query: no answer", 0);
  const auto server2 = server("resolvers", "ns-2", "192.0.2.112", "down", "query: no answer", 0);
  auto dns = service("udp 198.51.100.53:53", "dns", "198.51.100.53/32", "resolvers");
  dns.digest = "mh1:4093:11aa00ff77cc4321";
  dns.destinations = {destination(server1, 53, 0.5, 0), destination(server2, 53, 0.5, 0)};
  count(dns, 0, 1);
  status.services.push_back(dns);
  for (const auto& server : {server1, server2}) {
    status.servers.push_back(server);
    auto query = check("query", server.name, "resolvers", server.addresses[0] + ":53");
    query.how = "dns";
    fail(query, "timeout", "no answer within 1s");
    status.checks.push_back(query);
  }
}

void addChecks(NodeStatus& status) {
  for (const auto& server : status.servers) {
    status.checks.push_back(check("healthz", server.name, "edge", server.addresses[0] + ":80"));
  }
  fail(status.checks[1], "bad-status", "status 503, expected 200");
  status.checks[0].last = {kNow - 1, "fail", "timeout", "no answer within 1s", 1};
  status.checks[0].toward = "down";
  status.checks[0].streak = 1;
  status.checks[2].localError = true;
  status.checks[3].warning = "certificate expires in 6 days";
}

}  // namespace

NodeStatus sampleStatus() {
  NodeStatus status;
  status.at = kNow;
  status.countersAt = kNow - 0.2;
  status.node = node();
  status.servers = edgeServers();
  status.services = {web(80, status.servers), web(443, status.servers)};
  addChecks(status);
  addDns(status);
  status.alarms = {
      {"critical", "pool.dead", "pool resolvers", "no server is up; 198.51.100.53/32 is withdrawn",
       "l4wardctl servers --pool resolvers", kNow - 754},
      {"warning", "bgp.session_down", "neighbor 2001:db8::1",
       "the session is down: hold timer expired", "l4wardctl bgp", kNow - 3700},
      {"warning", "server.down", "server edge/lb7-2", "healthz: status 503, expected 200",
       "l4wardctl checks --server lb7-2", kNow - 754}};
  status.relay = {true, true, true, false, 31};
  status.neighbors = {{"192.0.2.1", 65000, "up", "", kNow - 90000, 2},
                      {"2001:db8::1", 65000, "down", "hold timer expired", kNow - 3700, 2}};
  status.vips = {{"198.51.100.1/32",
                  "announced",
                  "web: 2 of 4 servers up, quorum 2",
                  true,
                  kNow - 90000,
                  {"web"},
                  {"192.0.2.1", "2001:db8::1"},
                  0},
                 {"198.51.100.53/32",
                  "withdrawn",
                  "dns: 0 of 2 servers up, quorum 1",
                  true,
                  kNow - 754,
                  {"dns"},
                  {},
                  kNow + 46},
                 {"2001:db8::c633:6401/128",
                  "draining",
                  "drained by ops: new router",
                  true,
                  kNow - 300,
                  {"web"},
                  {"2001:db8::1"},
                  0}};
  const auto subject = [](Subject::Kind kind, const char* name, const char* pool) {
    return Subject{kind, name, pool};
  };
  status.overrides = {
      {subject(Subject::Kind::server, "lb7-3", "edge"), Action::drain, "anna", "kernel update",
       kNow - 1200, kNow + 600, false},
      {subject(Subject::Kind::vip, "2001:db8::c633:6401", ""), Action::drain,
       "/etc/l4ward/overrides/drain:vip:2001:db8::c633:6401", "new router", kNow - 300, 0, true}};
  return status;
}

NodeStatus largeStatus(std::size_t services, std::size_t servers) {
  auto status = sampleStatus();
  status.services.clear();
  status.servers.clear();
  status.checks.clear();
  status.alarms.clear();
  for (std::size_t s = 0; s < services; ++s) {
    const auto pool = fmt::format("pool-{}", s);
    const auto vip = fmt::format("198.51.{}.{}", 100 + s / 250, s % 250);
    auto large = service(fmt::format("tcp {}:80", vip), fmt::format("service-{}", s), vip, pool);
    large.digest = "mh1:4093:" + hashText(0x9e3779b97f4a7c15 * (s + 1));
    for (std::size_t i = 0; i < servers; ++i) {
      const auto address = fmt::format("10.{}.{}.{}", s / 250, s % 250, i + 1);
      const auto name = fmt::format("server-{}-{}", s, i);
      status.servers.push_back(server(pool, name, address, "up", "", 10 + i));
      large.destinations.push_back(
          destination(status.servers.back(), 80, 1.0 / static_cast<double>(servers), 10 + i));
      status.checks.push_back(check("healthz", name, pool, address + ":80"));
    }
    count(large, servers, 1);
    status.services.push_back(std::move(large));
  }
  return status;
}

}  // namespace l4ward::control
