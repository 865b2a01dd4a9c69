#include <algorithm>
#include <map>

#include "config/sections.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

constexpr NumberRange kPort{1, 65535};
constexpr DurationRange kWarmUp{std::chrono::hours(0), std::chrono::hours(1)};
constexpr SizeRange kChecks{1, 8};
constexpr const char* kCheckText = "the name of a check, none, or a list of checks";
constexpr const char* kServersFromText = "the path of a file or directory, without blanks";

// Keeps the places: a wrong one stays, as "".
std::vector<std::string> readCheckNames(const Value& value) {
  if (value.isScalar() && value.node().text == "none") return {};
  if (!value.isScalar() && !value.isList()) {
    value.error(kCheckText);
    return {""};
  }
  std::vector<std::string> names;
  for (const auto& item : value.oneOrList(kChecks)) {
    auto name = item.text(isName, value.isList() ? "the name of a check" : kCheckText).value_or("");
    if (name == "none") {
      item.error("the name of a check; `none` stands by itself");
      name.clear();
    } else if (!name.empty() && std::find(names.begin(), names.end(), name) != names.end()) {
      item.error(item.describe() + " a second time", "each check once a pool");
    }
    names.push_back(std::move(name));
  }
  return names.empty() ? std::vector<std::string>(1) : names;
}

Tunnel readTunnel(const Value& value) {
  const Record record(value, {"type", "port", "checksum", "remote_checksum"});
  Tunnel tunnel;
  const auto typeKey = record.require("type", "ipip, gue or gre");
  const auto type = typeKey ? typeKey->choice({"ipip", "gue", "gre"}) : std::nullopt;
  if (!type) return tunnel;
  tunnel.type = static_cast<TunnelType>(*type);
  tunnel.checksum = record.boolean("checksum", false);
  tunnel.remoteChecksum = record.boolean("remote_checksum", false);
  if (tunnel.type == TunnelType::gue) {
    if (const auto port = record.require("port", "the UDP port that the servers receive GUE at")) {
      tunnel.port = static_cast<std::uint16_t>(port->number(kPort).value_or(0));
    }
  } else if (const auto port = record.find("port")) {
    port->error("a port for a tunnel without one", "it only with type gue");
  }
  const auto checksum = record.find("checksum");
  if (checksum && tunnel.type == TunnelType::ipip) {
    checksum->error("a checksum for a tunnel without one", "it only with type gue or gre");
  }
  const auto remote = record.find("remote_checksum");
  if (remote && tunnel.type != TunnelType::gue) {
    remote->error("a remote checksum for a tunnel without one", "it only with type gue");
  }
  return tunnel;
}

// Only masquerading rewrites packets; the others leave them at the client's port.
void readServerPort(const Record& record, Pool& pool) {
  const auto port = record.find("server_port");
  if (!port) return;
  // A wrong one stays, as 1, so that nobody misses it.
  pool.serverPort = static_cast<std::uint16_t>(port->number(kPort).value_or(1));
  if (pool.forward != Forward::masquerade) {
    port->error("this key in a pool that does not rewrite packets",
                "it only with `forward: masquerade`");
  }
}

// The servers, from one of the two places where they may stand.
void readServersOf(const Record& record, const ServersReader& read, Pool& pool) {
  const auto defaults = record.find("thresholds");
  const auto thresholds = defaults ? readThresholds(*defaults) : Thresholds();
  const auto from = record.find("servers_from");
  const auto least = record.find("servers_from_min");
  if (least) {
    pool.serversFromMin = least->number({0, kMaxServers}).value_or(pool.serversFromMin);
    if (!from) least->error("a least number without `servers_from`", "it only with that key");
  }
  if (!from) {
    if (const auto servers = record.require("servers", "a list of servers, or `servers_from`")) {
      pool.servers = readServers(*servers, thresholds);
    }
    return;
  }
  if (record.has("servers")) from->error("it beside `servers`", "one of the two");
  pool.serversFrom = from->text(isFile, kServersFromText).value_or("");
  if (!pool.serversFrom.empty() && !record.has("servers")) {
    pool.servers = readServersFrom(*from, pool, thresholds, read);
  }
}

Pool readPool(const Named& named, const ServersReader& read) {
  const Record record(named.value,
                      {"forward", "tunnel", "server_port", "check", "warm_up", "agent_weight",
                       "thresholds", "servers", "servers_from", "servers_from_min"});
  Pool pool;
  pool.name = named.name;
  pool.forward =
      static_cast<Forward>(record.choice("forward", {"tunnel", "direct", "masquerade"}, 0));
  if (const auto tunnel = record.find("tunnel")) {
    if (pool.forward == Forward::tunnel) {
      pool.tunnel = readTunnel(*tunnel);
    } else {
      tunnel->error("a tunnel in a pool that does not forward through one",
                    "it only with `forward: tunnel`");
    }
  }
  readServerPort(record, pool);
  if (const auto check = record.require("check", kCheckText)) {
    pool.checks = readCheckNames(*check);
  } else {
    pool.checks = {""};
  }
  pool.warmUp = record.duration("warm_up", kWarmUp, pool.warmUp);
  pool.agentWeights = record.boolean("agent_weight", pool.agentWeights);
  readServersOf(record, read, pool);
  return pool;
}

}  // namespace

std::map<std::string, Pool> readPools(const Value& value, const ServersReader& read) {
  std::map<std::string, Pool> pools;
  for (const auto& named : readNamed(value, {0, kMaxNamed})) {
    pools.emplace(named.name, readPool(named, read));
  }
  return pools;
}

}  // namespace l4ward::config
