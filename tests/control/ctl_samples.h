// Made-up nodes for the tests of l4wardctl, in the states that matter.
#pragma once

#include <fmt/format.h>

#include <string>

#include "control/status.h"

namespace l4ward::ctl::testing {

using namespace l4ward::control;  // NOLINT: a test's vocabulary

inline constexpr double kNow = 1'790'000'000;  // 2026-09-21 14:13:20 UTC

inline Server server(const std::string& pool, const std::string& name, const std::string& state) {
  Server server;
  server.pool = pool;
  server.name = name;
  server.addresses = {"192.0.2.101", "2001:db8::65"};
  server.state = state;
  server.because = state == "up" ? "all checks pass" : "healthz: status 503, expected 200";
  server.since = kNow - 200;
  server.activeConnections = 120;
  server.inactiveConnections = 7;
  return server;
}

inline Destination destination(const Server& server, const std::string& address, double share) {
  Destination destination;
  destination.address = address;
  destination.server = server.name;
  destination.pool = server.pool;
  destination.weight = server.state == "up" ? server.weight : 0;
  destination.share = share;
  destination.activeConnections = server.activeConnections;
  destination.inactiveConnections = server.inactiveConnections;
  return destination;
}

inline Service service(const std::string& name, const std::string& key, const std::string& vip) {
  Service service;
  service.key = key;
  service.name = name;
  service.vips = {vip};
  service.pool = "edge";
  service.scheduler = "mh";
  service.digest = "5c1f0a7be2d94c31";
  service.programmed = true;
  service.quorum = true;
  service.quorumText = "3 of 3 servers up, quorum 1";
  service.up = 3;
  service.total = 3;
  service.uses = "checked";
  service.connections = 1234;
  service.bytesIn = 56'000'000;
  return service;
}

inline Check check(const Server& server, const std::string& health) {
  Check check;
  check.id = server.name + "/healthz";
  check.name = "healthz";
  check.server = server.name;
  check.pools = {server.pool};
  check.target = "192.0.2.101:80";
  check.how = "http via tunnel";
  check.health = health;
  check.verified = true;
  check.since = kNow - 200;
  check.last = {kNow - 1, health == "up" ? "pass" : "fail", health == "up" ? "" : "status",
                health == "up" ? "" : "status 503, expected 200", 0.0123};
  check.history = {check.last, {kNow - 200, "pass", "", "", 0.011}};
  check.made = {{"pass", 4000}, {"status", 12}};
  return check;
}

// Nothing is wrong: two VIPs, one of them IPv6, four IPVS services of one name, three servers.
inline NodeStatus wellNode() {
  NodeStatus status;
  status.at = kNow;
  status.countersAt = kNow;
  status.node.name = "lb4-1";
  status.node.version = "0.1.0";
  status.node.pid = 4711;
  status.node.startedAt = kNow - 3 * 86400 - 4 * 3600;
  status.node.phase = "running";
  status.node.ready = true;
  status.node.siteFile = "/etc/l4ward/site.yaml";
  status.node.siteHash = "3fa1c09d2b7e6a55";
  status.node.interface = "lo";
  status.node.tableSlots = 4093;
  status.relay = {true, true, true, false, 14};
  status.neighbors = {{"192.0.2.1", 65000, "up", "", kNow - 7200, 2},
                      {"2001:db8::1", 65000, "up", "", kNow - 7200, 2}};
  for (const char* prefix : {"198.51.100.1/32", "2001:db8::c633:6401/128"}) {
    status.vips.push_back({prefix,
                           "announced",
                           "web: 3 of 3 servers up, quorum 1",
                           true,
                           kNow - 7200,
                           {"web"},
                           {"192.0.2.1", "2001:db8::1"},
                           0});
  }
  for (const char* name : {"lb7-1", "lb7-2", "lb7-3"}) {
    status.servers.push_back(server("edge", name, "up"));
    status.checks.push_back(check(status.servers.back(), "up"));
  }
  for (const char* key : {"tcp 198.51.100.1:80", "tcp 198.51.100.1:443",
                          "tcp [2001:db8::c633:6401]:80", "tcp [2001:db8::c633:6401]:443"}) {
    auto made =
        service("web", key,
                std::string(key).find('[') == std::string::npos ? "198.51.100.1/32"
                                                                : "2001:db8::c633:6401/128");
    for (const auto& one : status.servers) {
      made.destinations.push_back(destination(one, "192.0.2.101:80", 1.0 / 3));
    }
    status.services.push_back(std::move(made));
  }
  return status;
}

// Everything is wrong.
inline NodeStatus brokenNode() {
  NodeStatus status = wellNode();
  status.node.ready = false;
  status.node.suspect = true;
  status.alarms = {
      {"critical", "pool.dead", "pool edge", "no server is up; 198.51.100.1/32 is withdrawn",
       "l4wardctl servers --pool edge", kNow - 180},
      {"critical", "bgp.unheard", "bgp", "no session is up for 2m, routers know no route to us",
       "l4wardctl bgp", kNow - 120},
      {"warning", "override.long", "server edge/lb7-1",
       "drained by anna for 3 days, and nobody has taken it back; is it forgotten?",
       "l4wardctl enable server edge/lb7-1", kNow - 3 * 86400},
  };
  status.relay.synced = false;
  status.relay.unheard = true;
  for (auto& neighbor : status.neighbors) {
    neighbor.state = "down";
    neighbor.reason = "peer reset";
    neighbor.since = kNow - 120;
  }
  for (auto& vip : status.vips) {
    vip.state = "withdrawn";
    vip.because = "web: 0 of 3 servers up, quorum 1";
    vip.since = kNow - 180;
    vip.neighbors.clear();
  }
  for (std::size_t i = 0; i < status.servers.size(); ++i) {
    auto& one = status.servers[i];
    one.state = i == 0 ? "draining" : "down";
    one.because = i == 0 ? "drained by anna: kernel update" : "healthz: status 503, expected 200";
    status.checks[i] = check(one, i == 0 ? "up" : "down");
  }
  for (auto& service : status.services) {
    service.up = 0;
    service.quorum = false;
    service.quorumText = "0 of 3 servers up, quorum 1";
    for (auto& destination : service.destinations) destination.weight = 0;
  }
  Override drain;
  drain.subject = {Subject::Kind::server, "lb7-1", "edge"};
  drain.by = "anna";
  drain.reason = "kernel update";
  drain.since = kNow - 300;
  drain.until = kNow + 1500;
  status.overrides = {drain};
  return status;
}

// Many services of one server each, the last of them without a server that is up.
// Beside somebody else's programs.
inline NodeStatus observingNode() {
  NodeStatus status = wellNode();
  status.node.phase = "observing";
  status.node.ready = false;
  status.differences = {{"service",
                         "tcp 198.51.100.1:80",
                         "1 operation, moves 33.33 % of new flows, 0.00 % needlessly",
                         {"edit 192.0.2.102:80 weight 0 tunnel ipip"},
                         kNow - 60},
                        {"server",
                         "edge/lb7-2",
                         "takes no new flows by its checks, the kernel sends it some in 1 service",
                         {},
                         kNow - 60}};
  return status;
}

inline NodeStatus largeNode(int number) {
  NodeStatus status = wellNode();
  status.vips.clear();
  status.services.clear();
  status.servers.clear();
  status.checks.clear();
  for (int i = 0; i < number; ++i) {
    const auto name = fmt::format("service-{:03}", i);
    const auto pool = fmt::format("pool-{:03}", i);
    const auto vip = fmt::format("198.51.{}.{}", i / 250, i % 250 + 1);
    const bool last = i + 1 == number;
    status.servers.push_back(server(pool, fmt::format("server-{:03}", i), last ? "down" : "up"));
    status.vips.push_back({vip + "/32",
                           last ? "withdrawn" : "announced",
                           name + (last ? ": 0 of 1 servers up" : ": 1 of 1 servers up"),
                           true,
                           kNow - 60,
                           {name},
                           {},
                           0});
    auto made = service(name, "tcp " + vip + ":443", vip + "/32");
    made.pool = pool;
    made.up = last ? 0 : 1;
    made.total = 1;
    made.quorum = !last;
    made.destinations = {destination(status.servers.back(), "192.0.2.101:80", 1)};
    status.services.push_back(made);
  }
  return status;
}

}  // namespace l4ward::ctl::testing
