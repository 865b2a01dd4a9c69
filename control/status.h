// What a node knows and does, as plain values for people and programs: the answer to `status`.
// docs/control.md describes each field under its JSON name, docs/status.schema.json is its schema.
// Times are seconds since 1970 (UTC), durations seconds; 0 where nothing is known.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/override.h"

namespace l4ward::control {

// Cumulative: counts[i] values were at most bounds[i], the last one counts all.
struct Histogram {
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;  // one more than bounds
  double sum = 0;
};

struct Reloads {
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  double lastAt = 0;
  bool lastSucceeded = true;
  std::string lastReason;  // of a failure
};

// What the agent did since its start.
struct Work {
  std::uint64_t turns = 0;
  std::uint64_t operations = 0;        // sent to IPVS
  std::uint64_t failedOperations = 0;  // and refused
  std::uint64_t drift = 0;             // differences that others had made, found and mended
  Histogram applySeconds;
  Histogram planOperations;        // operations of a plan that had any
  Histogram loopLagSeconds;        // how late the loop came to what was due
  Histogram probeLatenessSeconds;  // how late probes started
};

struct Node {
  std::string name;
  std::string version;
  int pid = 0;
  double startedAt = 0;
  // "starting", "running", "draining" (announced as about to stop), "withdrawing", "stopping",
  // "observing" (only: it changes nothing)
  std::string phase;
  bool ready = false;    // IPVS is programmed and each server has its verdict
  bool suspect = false;  // every check failed at once
  std::string siteFile;
  std::string siteHash;          // equal on two nodes only if what matters to the fleet is equal
  std::string interface;         // of the virtual IPs
  std::uint64_t tableSlots = 0;  // of this kernel's Maglev tables; 0: not known
  Reloads reloads;
  // Pools whose files of servers (`servers_from`) are wrong or missing, and why: they keep the
  // servers that they had.
  std::map<std::string, std::string> staleServers;
  Work work;
};

// What is wrong or about to be, worst first.
struct Alarm {
  std::string severity;  // "critical", "warning"
  std::string id;        // "pool.dead", "bgp.unheard", …: docs/control.md lists them
  std::string subject;   // "pool edge"
  std::string text;      // "no server is up; 198.51.100.1/32 is withdrawn"
  std::string next;      // the command to type: "l4wardctl servers --pool edge"
  double since = 0;
};

struct Neighbor {
  std::string address;
  std::uint32_t peerAs = 0;
  std::string state;  // "unknown", "connected", "up", "down"
  std::string reason;
  double since = 0;
  std::uint64_t routes = 0;  // that it is told of
};

struct Relay {
  bool configured = false;  // the site file has a `bgp` section
  bool connected = false;
  bool synced = false;        // ExaBGP has acknowledged all that it was told
  bool unheard = false;       // something is announced, and no session has been up for a while
  std::uint64_t updates = 0;  // sets of routes published
};

struct Vip {
  std::string prefix;
  std::string state;    // "announced", "last-resort", "draining", "withdrawn", "not-announced"
  std::string because;  // "web: 1 of 3 servers up, quorum 2"
  bool onInterface = false;
  double since = 0;  // the last change of state
  std::vector<std::string> services;
  std::vector<std::string> neighbors;  // that are told of it
  double heldUntil = 0;                // damping holds it down until then
};

// A server as IPVS has it in one service.
struct Destination {
  std::string address;  // "192.0.2.101:80"
  std::string server;
  std::string pool;
  std::uint32_t weight = 0;   // what the kernel has; 0: no new connections
  std::uint32_t nominal = 1;  // what its share of the table comes from
  bool removed = false;       // the site file has it no more, its connections are waited for
  double share = 0;           // of the Maglev table's slots, 0 to 1; all destinations' add up to 1
  std::uint64_t activeConnections = 0;
  std::uint64_t inactiveConnections = 0;
  std::uint64_t connections = 0;  // scheduled since it was added, as are the following
  std::uint64_t packetsIn = 0;
  std::uint64_t packetsOut = 0;
  std::uint64_t bytesIn = 0;
  std::uint64_t bytesOut = 0;
};

struct Service {
  std::string key;   // "tcp 198.51.100.1:80", "mark 7 IPv4"
  std::string name;  // in the site file; empty: dropped from it, its connections are waited for
  std::vector<std::string> vips;
  std::string pool;
  std::string backupPool;
  std::string scheduler;
  std::string digest;  // of the Maglev table: equal on nodes that decide alike; empty: not known
  bool programmed = false;
  bool quorum = false;
  std::string quorumText;  // "3 of 3 servers up, quorum 2"
  std::uint64_t up = 0;
  std::uint64_t total = 0;
  std::string uses;  // "checked", "all" (panic), "backup"
  std::uint64_t connections = 0;
  std::uint64_t packetsIn = 0;
  std::uint64_t packetsOut = 0;
  std::uint64_t bytesIn = 0;
  std::uint64_t bytesOut = 0;
  std::vector<Destination> destinations;
};

struct Server {
  std::string pool;
  std::string name;
  std::vector<std::string> addresses;
  std::uint32_t weight = 1;
  std::string state;    // "up", "warming", "draining", "disabled", "down", "unknown"
  std::string because;  // "healthz: status 503, expected 200", "drained by anna: kernel update"
  double since = 0;
  std::uint64_t activeConnections = 0;  // over all services
  std::uint64_t inactiveConnections = 0;
};

struct CheckResult {
  double at = 0;
  std::string answer;  // "pass", "drain", "fail", "error" (on this node), "silent"
  std::string kind;    // of a failure: "timeout", "refused", …
  std::string reason;
  double latency = 0;
};

struct Check {
  std::string id;    // the same in every run
  std::string name;  // in the site file
  std::string server;
  std::vector<std::string> pools;
  std::string target;     // "192.0.2.101:80"
  std::string how;        // "http", "tcp", …; with " via tunnel"
  std::string health;     // "unknown", "up", "drain", "down"
  bool verified = false;  // rests on an answer, not on what an earlier agent left
  std::string toward;     // where a run of contrary answers leads, or empty
  unsigned streak = 0;    // how many were seen,
  unsigned needed = 0;    // and how many it takes
  bool localError = false;
  std::string warning;
  double since = 0;  // the last change of health
  CheckResult last;
  std::vector<CheckResult> history;           // the newest first, only answers that differed
  std::map<std::string, std::uint64_t> made;  // probes by outcome: "pass", "timeout", …
  Histogram seconds;                          // their latency
};

// Of a node that only observes: what is not as its agent would have it.
struct Difference {
  // "service", "server", "foreign" (a service of the kernel that the site file has not), "vip",
  // "global", "sysctl"
  std::string kind;
  std::string subject;                  // "tcp 198.51.100.1:80"
  std::string text;                     // "2 operations, moves 5.13 % of new flows, …"
  std::vector<std::string> operations;  // on that service, in their order
  double since = 0;
};

struct NodeStatus {
  int version = 1;  // of this format: keys are added under one number, never changed
  double at = 0;
  Node node;
  std::vector<Alarm> alarms;
  Relay relay;
  std::vector<Neighbor> neighbors;
  std::vector<Vip> vips;
  std::vector<Service> services;
  std::vector<Server> servers;
  std::vector<Check> checks;
  std::vector<Override> overrides;
  std::vector<Difference> differences;  // while observing
  // Of the kernel's own counters: when they were read; 0: they could not be.
  double countersAt = 0;
};

}  // namespace l4ward::control
