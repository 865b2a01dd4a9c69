#include "control/status_json.h"

#include "control/json_fields.h"

namespace l4ward::control {
namespace {

template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, Event>& value) {
  visit("number", value.number);
  visit("at", value.at);
  visit("level", value.level);
  visit("id", value.id);
  visit("fields", value.fields);
}
template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, Lookup>& value) {
  visit("client", value.client);
  visit("vip", value.vip);
  visit("service", value.service);
  visit("name", value.name);
  visit("digest", value.digest);
  visit("slots", value.slots);
  visit("slot", value.slot);
  visit("owner", value.owner);
  visit("owner_name", value.ownerName);
  visit("fallback", value.fallback);
  visit("server", value.server);
  visit("server_name", value.serverName);
  visit("held", value.held);
  visit("held_name", value.heldName);
  visit("held_state", value.heldState);
  visit("text", value.text);
}
template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, Histogram>& value) {
  visit("bounds", value.bounds);
  visit("counts", value.counts);
  visit("sum", value.sum);
}
template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, Reloads>& value) {
  visit("succeeded", value.succeeded);
  visit("failed", value.failed);
  visit("last_at", value.lastAt);
  visit("last_succeeded", value.lastSucceeded);
  visit("last_reason", value.lastReason);
}
template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, Work>& value) {
  visit("turns", value.turns);
  visit("operations", value.operations);
  visit("failed_operations", value.failedOperations);
  visit("drift", value.drift);
  visit("apply_seconds", value.applySeconds);
  visit("plan_operations", value.planOperations);
  visit("loop_lag_seconds", value.loopLagSeconds);
  visit("probe_lateness_seconds", value.probeLatenessSeconds);
}
template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, Node>& value) {
  visit("name", value.name);
  visit("version", value.version);
  visit("pid", value.pid);
  visit("started_at", value.startedAt);
  visit("phase", value.phase);
  visit("ready", value.ready);
  visit("suspect", value.suspect);
  visit("site_file", value.siteFile);
  visit("site_hash", value.siteHash);
  visit("interface", value.interface);
  visit("table_slots", value.tableSlots);
  visit("reloads", value.reloads);
  visit("stale_servers", value.staleServers);
  visit("work", value.work);
}
template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, Alarm>& value) {
  visit("severity", value.severity);
  visit("id", value.id);
  visit("subject", value.subject);
  visit("text", value.text);
  visit("next", value.next);
  visit("since", value.since);
}
template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, Neighbor>& value) {
  visit("address", value.address);
  visit("peer_as", value.peerAs);
  visit("state", value.state);
  visit("reason", value.reason);
  visit("since", value.since);
  visit("routes", value.routes);
}
template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, Relay>& value) {
  visit("configured", value.configured);
  visit("connected", value.connected);
  visit("synced", value.synced);
  visit("unheard", value.unheard);
  visit("updates", value.updates);
}
template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, Vip>& value) {
  visit("prefix", value.prefix);
  visit("state", value.state);
  visit("because", value.because);
  visit("on_interface", value.onInterface);
  visit("since", value.since);
  visit("services", value.services);
  visit("neighbors", value.neighbors);
  visit("held_until", value.heldUntil);
}
template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, Destination>& value) {
  visit("address", value.address);
  visit("server", value.server);
  visit("pool", value.pool);
  visit("weight", value.weight);
  visit("nominal", value.nominal);
  visit("removed", value.removed);
  visit("share", value.share);
  visit("active_connections", value.activeConnections);
  visit("inactive_connections", value.inactiveConnections);
  visit("connections", value.connections);
  visit("packets_in", value.packetsIn);
  visit("packets_out", value.packetsOut);
  visit("bytes_in", value.bytesIn);
  visit("bytes_out", value.bytesOut);
}
template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, Service>& value) {
  visit("key", value.key);
  visit("name", value.name);
  visit("vips", value.vips);
  visit("pool", value.pool);
  visit("backup_pool", value.backupPool);
  visit("scheduler", value.scheduler);
  visit("digest", value.digest);
  visit("programmed", value.programmed);
  visit("quorum", value.quorum);
  visit("quorum_text", value.quorumText);
  visit("up", value.up);
  visit("total", value.total);
  visit("uses", value.uses);
  visit("connections", value.connections);
  visit("packets_in", value.packetsIn);
  visit("packets_out", value.packetsOut);
  visit("bytes_in", value.bytesIn);
  visit("bytes_out", value.bytesOut);
  visit("destinations", value.destinations);
}
template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, Server>& value) {
  visit("pool", value.pool);
  visit("name", value.name);
  visit("addresses", value.addresses);
  visit("weight", value.weight);
  visit("state", value.state);
  visit("because", value.because);
  visit("since", value.since);
  visit("active_connections", value.activeConnections);
  visit("inactive_connections", value.inactiveConnections);
}
template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, CheckResult>& value) {
  visit("at", value.at);
  visit("answer", value.answer);
  visit("kind", value.kind);
  visit("reason", value.reason);
  visit("latency", value.latency);
}
template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, Check>& value) {
  visit("id", value.id);
  visit("name", value.name);
  visit("server", value.server);
  visit("pools", value.pools);
  visit("target", value.target);
  visit("how", value.how);
  visit("health", value.health);
  visit("verified", value.verified);
  visit("toward", value.toward);
  visit("streak", value.streak);
  visit("needed", value.needed);
  visit("local_error", value.localError);
  visit("warning", value.warning);
  visit("since", value.since);
  visit("last", value.last);
  visit("history", value.history);
  visit("made", value.made);
  visit("seconds", value.seconds);
}
template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, Difference>& value) {
  visit("kind", value.kind);
  visit("subject", value.subject);
  visit("text", value.text);
  visit("operations", value.operations);
  visit("since", value.since);
}
template <typename Visitor>
void fields(Visitor& visit, Like<Visitor, NodeStatus>& value) {
  visit("version", value.version);
  visit("at", value.at);
  visit("node", value.node);
  visit("alarms", value.alarms);
  visit("relay", value.relay);
  visit("neighbors", value.neighbors);
  visit("vips", value.vips);
  visit("services", value.services);
  visit("servers", value.servers);
  visit("checks", value.checks);
  visit("overrides", value.overrides);
  visit("differences", value.differences);
  visit("counters_at", value.countersAt);
}

}  // namespace

void to_json(nlohmann::json& json, const Override& value) {
  json = {{"subject", value.subject.str()},
          {"action", toString(value.action)},
          {"by", value.by},
          {"reason", value.reason},
          {"since", value.since},
          {"until", value.until},
          {"from_file", value.fromFile}};
}

void from_json(const nlohmann::json& json, Override& value) {
  const auto subject = Subject::parse(json.at("subject").get<std::string>());
  const auto action = parseAction(json.at("action").get<std::string>());
  if (!subject || !action) {
    throw nlohmann::json::other_error::create(
        500, (subject ? action.error() : subject.error()).message, &json);
  }
  value.subject = *subject;
  value.action = *action;
  JsonReader read(json);
  read("by", value.by);
  read("reason", value.reason);
  read("since", value.since);
  read("until", value.until);
  read("from_file", value.fromFile);
}

L4WARD_JSON(Event)
L4WARD_JSON(Lookup)
L4WARD_JSON(Histogram)
L4WARD_JSON(Reloads)
L4WARD_JSON(Work)
L4WARD_JSON(Node)
L4WARD_JSON(Alarm)
L4WARD_JSON(Neighbor)
L4WARD_JSON(Relay)
L4WARD_JSON(Vip)
L4WARD_JSON(Destination)
L4WARD_JSON(Service)
L4WARD_JSON(Server)
L4WARD_JSON(CheckResult)
L4WARD_JSON(Check)
L4WARD_JSON(Difference)
L4WARD_JSON(NodeStatus)

}  // namespace l4ward::control
