// Servers, as they stand in a pool or in the files that it names.
#include <algorithm>
#include <deque>
#include <map>
#include <string_view>
#include <unordered_map>

#include "config/sections.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

constexpr NumberRange kWeight{1, 65535};
constexpr NumberRange kUpper{1, 2147483647};

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

// "line 7", with the file if that is another one.
std::string placeText(const Value& there, const Value& here) {
  const auto line = std::to_string(there.node().place.line);
  const auto& file = there.errors().file();
  return file == here.errors().file() ? "line " + line : file + ":" + line;
}

// Keeps the places: servers with mistakes stay, without what was wrong.
std::vector<Server> readItems(const std::vector<Value>& items, const Thresholds& thresholds) {
  std::vector<Server> servers;
  servers.reserve(items.size());
  std::unordered_map<std::string_view, std::size_t> names;  // and the positions of their servers
  std::map<IpAddress, std::size_t> owners;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& server = servers.emplace_back(readServer(items[i], thresholds));
    const auto place = [&](std::size_t other) { return placeText(items[other], items[i]); };
    const auto [first, fresh] = names.emplace(server.name, i);
    if (!fresh && !server.name.empty()) {
      items[i].error("server " + inQuotes(server.name) + " a second time",
                     "each name once a pool (" + place(first->second) + " has it too)");
    }
    for (const auto& address : server.addresses) {
      const auto [owner, unused] = owners.emplace(address, i);
      if (unused) continue;
      const auto& name = servers[owner->second].name;
      items[i].error("address " + address.str() + ", which server " + inQuotes(name) +
                         " has too (" + place(owner->second) + ")",
                     "each address once a pool");
    }
  }
  return servers;
}

// One file of servers: a list, or a map that has it.
struct Part {
  Node tree;
  Diagnostics errors;
};

std::vector<Value> itemsOf(const Part& part, const std::string& path, Diagnostics& errors) {
  const Value value(part.tree, path, errors);
  if (value.isNull()) {
    value.error("an empty file", "a list of servers; [] for none");
    return {};
  }
  if (value.isList()) return value.list({0, kMaxServers});
  const Record record(value, {"servers"});
  const auto servers = record.require("servers", "a list of servers; [] for none");
  return servers ? servers->list({0, kMaxServers}) : std::vector<Value>();
}

}  // namespace

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

std::vector<Server> readServers(const Value& value, const Thresholds& thresholds) {
  return readItems(value.list({1, kMaxServers}), thresholds);
}

std::vector<Server> readServersFrom(const Value& value, const Pool& pool,
                                    const Thresholds& thresholds, const ServersReader& read) {
  const auto files = read ? read(pool) : fail("no files are read here");
  if (!files) {
    value.error("nothing to read (" + files.error().message + ")",
                "a file of servers, or a directory of them");
    return {};
  }
  bool good = true;
  std::deque<Part> parts;  // the items refer to them
  std::vector<Value> items;
  for (const auto& file : *files) {
    auto tree = parseYaml(file.text, file.name);
    if (!tree) {
      tree.error().path = value.path();
      value.errors().append({tree.error()});
      good = false;
      continue;
    }
    auto& part = parts.emplace_back(Part{*std::move(tree), Diagnostics(file.name)});
    const auto more = itemsOf(part, value.path(), part.errors);
    items.insert(items.end(), more.begin(), more.end());
  }
  auto servers = readItems(items, thresholds);
  for (const auto& part : parts) {
    good = good && part.errors.empty();
    value.errors().append(part.errors.take());
  }
  if (good && (servers.size() < pool.serversFromMin || servers.size() > kMaxServers)) {
    value.error(std::to_string(servers.size()) + " servers",
                std::to_string(pool.serversFromMin) + " to " + std::to_string(kMaxServers) +
                    " servers (servers_from_min)");
  }
  return servers;
}

}  // namespace l4ward::config
