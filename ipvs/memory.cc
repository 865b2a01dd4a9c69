#include "ipvs/memory.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace l4ward::ipvs {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 2;

Json encodePrefixes(const std::set<Prefix>& prefixes) {
  Json list = Json::array();
  for (const auto& prefix : prefixes) list.push_back(prefix.str());
  return list;
}

// Thrown and caught in this file only.
struct Damage {
  std::string what;
};

template <typename T>
T orDamage(Result<T> value) {
  if (!value) throw Damage{value.error().message};
  return *std::move(value);
}

const Json& member(const Json& object, const char* name) {
  const auto found = object.find(name);  // the end if it is no object
  if (found == object.end()) throw Damage{std::string("'") + name + "' is missing"};
  return *found;
}

const Json& list(const Json& object, const char* name) {
  const auto& value = member(object, name);
  if (!value.is_array()) throw Damage{std::string("'") + name + "' is not a list"};
  return value;
}

const std::string& text(const Json& value) {
  if (!value.is_string()) throw Damage{"a text is missing"};
  return value.get_ref<const std::string&>();
}

ServiceKey decodeKey(const Json& json) {
  return orDamage(ServiceKey::parse(text(member(json, "service"))));
}

std::set<Prefix> decodePrefixes(const Json& object, const char* name) {
  std::set<Prefix> prefixes;
  for (const auto& entry : list(object, name))
    prefixes.insert(orDamage(Prefix::parse(text(entry))));
  return prefixes;
}

SyncRole decodeRole(const std::string& name) {
  for (const auto role : {SyncRole::master, SyncRole::backup}) {
    if (name == toString(role)) return role;
  }
  throw Damage{"'" + name + "' is no role of a sync daemon"};
}

std::uint32_t decodeWeight(const Json& json) {
  const auto& value = member(json, "weight");
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() == 0 ||
      value.get<std::uint64_t>() > std::numeric_limits<std::int32_t>::max()) {
    throw Damage{"a weight is out of range"};
  }
  return value.get<std::uint32_t>();
}

Memory decodeBody(const Json& json) {
  Memory memory;
  for (const auto& entry : list(json, "services")) {
    memory.owned[decodeKey(entry)] = decodePrefixes(entry, "vips");
  }
  for (const auto& entry : list(json, "last_weights")) {
    const auto server = orDamage(Endpoint::parse(text(member(entry, "server"))));
    memory.lastWeights[{decodeKey(entry), server}] = decodeWeight(entry);
  }
  for (const auto& entry : list(json, "sync_daemons")) {
    memory.syncDaemons.insert(decodeRole(text(entry)));
  }
  for (const auto& entry : list(json, "interfaces")) memory.interfaces.insert(text(entry));
  const auto& sysctls = member(json, "sysctls");
  if (!sysctls.is_object()) throw Damage{"'sysctls' is not an object"};
  for (const auto& [name, change] : sysctls.items()) {
    memory.sysctls[name] = {text(member(change, "before")), text(member(change, "after"))};
  }
  const auto& addresses = member(json, "addresses");
  if (!addresses.is_object()) throw Damage{"'addresses' is not an object"};
  for (const auto& [interface, unused] : addresses.items()) {
    memory.addresses[interface] = decodePrefixes(addresses, interface.c_str());
  }
  return memory;
}

// nlohmann parses by recursion; ours is four levels deep, so a deeper text is refused unparsed.
bool tooDeep(std::string_view text) {
  constexpr int kMaxDepth = 8;
  int depth = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > kMaxDepth) return true;
  }
  return false;
}

}  // namespace

std::string encode(const Memory& memory, std::string_view identity) {
  Json services = Json::array();
  for (const auto& [key, vips] : memory.owned) {
    services.push_back({{"service", key.str()}, {"vips", encodePrefixes(vips)}});
  }
  Json lastWeights = Json::array();
  for (const auto& [id, weight] : memory.lastWeights) {
    lastWeights.push_back(
        {{"service", id.first.str()}, {"server", id.second.str()}, {"weight", weight}});
  }
  Json addresses = Json::object();
  for (const auto& [interface, set] : memory.addresses) {
    addresses[interface] = encodePrefixes(set);
  }
  Json sysctls = Json::object();
  for (const auto& [name, change] : memory.sysctls) {
    sysctls[name] = {{"before", change.before}, {"after", change.after}};
  }
  Json daemons = Json::array();
  for (const auto role : memory.syncDaemons) daemons.push_back(toString(role));
  const Json record = {{"version", kVersion},
                       {"identity", identity},
                       {"services", std::move(services)},
                       {"last_weights", std::move(lastWeights)},
                       {"sync_daemons", std::move(daemons)},
                       {"interfaces", memory.interfaces},
                       {"sysctls", std::move(sysctls)},
                       {"addresses", std::move(addresses)}};
  return record.dump(1, ' ', true, Json::error_handler_t::replace) + "\n";
}

Result<Memory> decode(std::string_view text, std::string_view identity) {
  const auto damaged = [](const std::string& what) {
    return fail("the record of what was programmed is damaged (" + what + ")");
  };
  if (text.size() > kMaxMemoryBytes) return damaged("larger than 16 MiB");
  if (tooDeep(text)) return damaged("nested too deep");
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return damaged("not a JSON object");
  try {
    if (member(json, "version") != kVersion) {
      return fail("the record of what was programmed is of another version of l4ward");
    }
    if (member(json, "identity") != identity) {
      return fail("the record of what was programmed is of another boot or network namespace");
    }
    return decodeBody(json);
  } catch (const Damage& damage) {
    return damaged(damage.what);
  }
}

}  // namespace l4ward::ipvs
