#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>

#include "config/sections.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

constexpr NumberRange kWeight{1, 65535};
constexpr NumberRange kPort{1, 65535};
constexpr NumberRange kUpper{1, 2147483647};
constexpr DurationRange kWarmUp{std::chrono::hours(0), std::chrono::hours(1)};
constexpr SizeRange kChecks{1, 8};
constexpr const char* kCheckText = "the name of a check, none, or a list of checks";

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

Thresholds readThresholds(const Value& value) {
  const Record record(value, {"upper", "lower"});
  Thresholds thresholds;
  if (const auto upper = record.require("upper", "the connections at which new ones stop")) {
    thresholds.upper = upper->number(kUpper).value_or(0);
  }
  if (const auto lower = record.find("lower")) {
    thresholds.lower = lower->number({0, kUpper.max}).value_or(0);
    if (thresholds.upper > 0 && thresholds.lower > thresholds.upper) {
      lower->error("at most the upper threshold, which is " + std::to_string(thresholds.upper));
    }
  }
  return thresholds;
}

std::optional<IpAddress> readServerAddress(const Value& value) {
  const auto address = value.address();
  if (!address) return std::nullopt;
  static const IpAddress kBroadcast = *IpAddress::parse("255.255.255.255");
  if (address->isUnspecified() || address->isMulticast() || address->isLinkLocal() ||
      *address == kBroadcast) {
    value.error("the address of one host that routers reach");
    return std::nullopt;
  }
  return address;
}

// Empty if anything is wrong, so that nothing else is said about these addresses.
std::vector<IpAddress> readAddresses(const Value& value) {
  std::vector<IpAddress> addresses;
  bool good = true;
  for (const auto& item : value.oneOrList({1, 2})) {
    const auto address = readServerAddress(item);
    if (address && !addresses.empty() && addresses[0].family() == address->family()) {
      item.error("a second " + std::string(toString(address->family())) + " address",
                 "one a family");
      good = false;
    } else if (address) {
      addresses.push_back(*address);
    }
    good = good && address;
  }
  return good ? addresses : std::vector<IpAddress>();
}

Server readServer(const Value& value, const Thresholds& thresholds) {
  Server server;
  server.thresholds = thresholds;
  if (value.isScalar()) {  // an address and nothing else
    if (!IpAddress::parse(value.node().text)) {
      value.error("an address, or a map with name and address");
    } else if (const auto address = readServerAddress(value)) {
      server.name = address->str();
      server.addresses = {*address};
    }
    return server;
  }
  const Record record(value, {"name", "address", "weight", "thresholds"});
  if (const auto name = record.require("name", "the server's name")) {
    server.name = name->name().value_or("");
  }
  if (const auto address = record.require("address", "an address, or a list with one a family")) {
    server.addresses = readAddresses(*address);
  }
  server.weight = record.number("weight", kWeight, server.weight);
  if (const auto own = record.find("thresholds")) server.thresholds = readThresholds(*own);
  return server;
}

// Keeps the places of the list: servers with mistakes stay, without what was wrong.
std::vector<Server> readServers(const Value& value, const Thresholds& thresholds) {
  std::vector<Server> servers;
  const auto items = value.list({1, kMaxServers});
  servers.reserve(items.size());
  const auto line = [&](std::size_t i) { return std::to_string(items[i].node().place.line); };
  std::unordered_map<std::string_view, std::size_t> names;  // and the positions of their servers
  std::map<IpAddress, std::size_t> owners;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& server = servers.emplace_back(readServer(items[i], thresholds));
    const auto [first, fresh] = names.emplace(server.name, i);
    if (!fresh && !server.name.empty()) {
      items[i].error("server " + inQuotes(server.name) + " a second time",
                     "each name once a pool (line " + line(first->second) + " has it too)");
    }
    for (const auto& address : server.addresses) {
      const auto [owner, unused] = owners.emplace(address, i);
      if (unused) continue;
      const auto& name = servers[owner->second].name;
      items[i].error("address " + address.str() + ", which server " + inQuotes(name) +
                         " has too (line " + line(owner->second) + ")",
                     "each address once a pool");
    }
  }
  return servers;
}

Pool readPool(const Named& named) {
  const Record record(named.value, {"forward", "tunnel", "check", "warm_up", "agent_weight",
                                    "thresholds", "servers"});
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
  if (const auto check = record.require("check", kCheckText)) {
    pool.checks = readCheckNames(*check);
  } else {
    pool.checks = {""};
  }
  pool.warmUp = record.duration("warm_up", kWarmUp, pool.warmUp);
  pool.agentWeights = record.boolean("agent_weight", pool.agentWeights);
  const auto defaults = record.find("thresholds");
  const auto thresholds = defaults ? readThresholds(*defaults) : Thresholds();
  if (const auto servers = record.require("servers", "a list of servers")) {
    pool.servers = readServers(*servers, thresholds);
  }
  return pool;
}

}  // namespace

std::map<std::string, Pool> readPools(const Value& value) {
  std::map<std::string, Pool> pools;
  for (const auto& named : readNamed(value, {0, kMaxNamed})) {
    pools.emplace(named.name, readPool(named));
  }
  return pools;
}

}  // namespace l4ward::config
