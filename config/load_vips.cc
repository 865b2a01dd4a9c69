#include <algorithm>

#include "config/sections.h"

namespace l4ward::config {
namespace {

constexpr NumberRange kPort{1, 65535};

// No site has more addresses than this; a shorter prefix is a slip of the pen.
unsigned shortest(Family family) {
  return family == Family::v4 ? 8 : 32;
}

// What keeps `vip` from being announced, or nullptr.
const char* flawOf(const Prefix& vip) {
  static const IpAddress kBroadcast = *IpAddress::parse("255.255.255.255");
  static const Prefix kLinkLocal = *Prefix::parse("169.254.0.0/16");
  const auto& address = vip.address;
  if (address.isUnspecified()) return "the unspecified address";
  if (address.isMulticast() || vip.contains(kBroadcast)) return "an address of many hosts";
  if (address.isLoopback()) return "a loopback address";
  if (address.isLinkLocal() || vip.contains(kLinkLocal)) return "a link-local address";
  return nullptr;
}

std::optional<Prefix> readVip(const Value& value) {
  const auto vip = value.addressOrPrefix();
  if (!vip) return std::nullopt;
  const auto least = shortest(vip->address.family());
  if (vip->length < least) {
    value.error("a prefix of /" + std::to_string(least) + " or longer");
    return std::nullopt;
  }
  if (const auto* flaw = flawOf(*vip)) {
    value.error(value.describe() + ", " + flaw, "an address of one host that can be announced");
    return std::nullopt;
  }
  return vip;
}

}  // namespace

std::vector<Prefix> readVips(const Value& value) {
  std::vector<Prefix> vips;
  for (const auto& item : value.list({1, kMaxVips})) {
    const auto vip = readVip(item);
    if (vip && std::count(vips.begin(), vips.end(), *vip) > 0) {
      item.error(item.describe() + " a second time", "each address once a service");
    }
    vips.push_back(vip.value_or(Prefix::host(IpAddress())));
  }
  return vips;
}

std::vector<std::uint16_t> readPorts(const Value& value) {
  if (value.isScalar()) {
    if (value.node().text == "all") return {0};
    value.error("a list of ports, or all");
    return {};
  }
  std::vector<std::uint16_t> ports;
  for (const auto& item : value.list({1, kMaxPorts})) {
    const auto port = item.number(kPort);
    if (!port) continue;
    if (std::count(ports.begin(), ports.end(), *port) > 0) {
      item.error(item.describe() + " a second time", "each port once a service");
    } else {
      ports.push_back(static_cast<std::uint16_t>(*port));
    }
  }
  return ports;
}

std::map<Prefix, AnnounceWhen> readVipRules(const Value& value) {
  std::map<Prefix, AnnounceWhen> rules;
  auto& errors = value.errors();
  for (const auto& [name, rule] : readEntries(value, {0, kMaxNamed})) {
    const Record record(rule, {"announce_when"});
    const auto when = static_cast<AnnounceWhen>(record.choice("announce_when", {"all", "any"}, 0));
    const Node key{Node::Kind::scalar, rule.node().keyPlace, name, {}, {}, {}};
    const Value vip(key, rule.path(), errors);
    const auto prefix = vip.addressOrPrefix();
    if (!prefix) continue;
    if (!rules.emplace(*prefix, when).second) {
      vip.error("the VIP " + prefix->shortStr() + " a second time", "it once");
    }
    errors.remember(joinPath(value.path(), prefix->shortStr()), key.place);
  }
  return rules;
}

}  // namespace l4ward::config
