#include "ipvs/memory.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace l4ward::ipvs {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;

Json encodeKey(const ServiceKey& key) {
  return {{"protocol", toString(key.protocol)}, {"vip", key.vip.str()}};
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
  const auto& name = text(member(json, "protocol"));
  for (const auto protocol : {Protocol::tcp, Protocol::udp, Protocol::sctp}) {
    if (name == toString(protocol)) {
      return {protocol, orDamage(Endpoint::parse(text(member(json, "vip"))))};
    }
  }
  throw Damage{"'" + name + "' is not a protocol"};
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
  for (const auto& key : list(json, "services")) memory.owned.insert(decodeKey(key));
  for (const auto& entry : list(json, "last_weights")) {
    const auto server = orDamage(Endpoint::parse(text(member(entry, "server"))));
    memory.lastWeights[{decodeKey(entry), server}] = decodeWeight(entry);
  }
  const auto& addresses = member(json, "addresses");
  if (!addresses.is_object()) throw Damage{"'addresses' is not an object"};
  for (const auto& [interface, entries] : addresses.items()) {
    auto& set = memory.addresses[interface];
    for (const auto& entry : list(addresses, interface.c_str())) {
      set.insert(orDamage(IpAddress::parse(text(entry))));
    }
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
  for (const auto& key : memory.owned) services.push_back(encodeKey(key));
  Json lastWeights = Json::array();
  for (const auto& [id, weight] : memory.lastWeights) {
    auto entry = encodeKey(id.first);
    entry["server"] = id.second.str();
    entry["weight"] = weight;
    lastWeights.push_back(std::move(entry));
  }
  Json addresses = Json::object();
  for (const auto& [interface, set] : memory.addresses) {
    auto& entries = addresses[interface] = Json::array();
    for (const auto& address : set) entries.push_back(address.str());
  }
  const Json record = {{"version", kVersion},
                       {"identity", identity},
                       {"services", std::move(services)},
                       {"last_weights", std::move(lastWeights)},
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
