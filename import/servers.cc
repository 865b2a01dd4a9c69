#include "import/servers.h"

#include <algorithm>
#include <array>

namespace l4ward::keepalived {
namespace {

constexpr std::uint32_t kMaxThreshold = 2147483647;

constexpr std::array kServerFates{
    Fate{"notify_up", Level::lost, "l4ward starts no programs when a server changes",
         "follow the log (`server.up`) or the metrics"},
    Fate{"notify_down", Level::lost, "l4ward starts no programs when a server changes",
         "follow the log (`server.down`) or the metrics"},
    Fate{"smtp_alert", Level::lost, "l4ward sends no mail", "alert on the metrics"},
    Fate{"snmp_name", Level::lost, "l4ward has no SNMP", "the metrics have the server's name"},
    Fate{"alpha", Level::note, "a server always waits for its first answer before it is used", ""},
    Fate{"warmup", Level::changed, "l4ward spreads first probes over one second, or the interval",
         ""},
};

// Reads the options behind TUN; the first one that is wrong, or none.
std::optional<std::string> readTunnel(const Words& words, config::Tunnel& tunnel) {
  for (std::size_t i = 2; i < words.size(); ++i) {
    const bool more = i + 1 < words.size();
    if (words[i] == "type" && more) {
      const auto& type = words[++i];
      if (type == "gue") {
        tunnel.type = config::TunnelType::gue;
      } else if (type == "gre") {
        tunnel.type = config::TunnelType::gre;
      } else if (type != "ipip") {
        return type;
      }
    } else if (words[i] == "port" && more) {
      const auto port = parseNumber(words[++i], 1, 65535);
      if (!port) return words[i];
      tunnel.port = static_cast<std::uint16_t>(*port);
    } else if (words[i] == "csum") {
      tunnel.checksum = true;
    } else if (words[i] == "remcsum") {
      tunnel.remoteChecksum = true;
    } else if (words[i] != "nocsum") {
      return words[i];
    }
  }
  return std::nullopt;
}

bool fits(const config::Tunnel& tunnel) {
  const bool gue = tunnel.type == config::TunnelType::gue;
  if (gue != (tunnel.port != 0)) return false;
  if (tunnel.remoteChecksum && !gue) return false;
  return !tunnel.checksum || tunnel.type != config::TunnelType::ipip;
}

std::string nameOf(const IpAddress& address) {
  auto name = address.str();
  std::replace(name.begin(), name.end(), ':', '-');
  return name;
}

bool isReachable(const IpAddress& address) {
  return !address.isUnspecified() && !address.isMulticast() && !address.isLinkLocal() &&
         address.str() != "255.255.255.255";
}

// ADDRESS [PORT] behind the keyword.
bool readTarget(Node& node, Report& report, ServerDraft& draft) {
  expectWords(node, 3, report);
  const auto address = IpAddress::parse(node.word(1));
  if (!address || !isReachable(*address)) {
    report.add(node, {Level::lost,
                      "not the address of one host that routers reach; the server is "
                      "left out",
                      "give it another address"});
    return false;
  }
  draft.server.name = nameOf(*address);
  draft.server.addresses = {*address};
  draft.node = &node;
  if (node.words.size() < 3) return true;
  const auto port = parseNumber(node.word(2), 0, 65535);
  if (!port) sayInvalid(node, "a port behind the address", report);
  draft.port = static_cast<std::uint16_t>(port.value_or(0));
  return true;
}

void readThresholds(const Section& section, config::Thresholds& thresholds) {
  const auto upper = section.number("uthreshold", 0, kMaxThreshold);
  const auto lower = section.number("lthreshold", 0, kMaxThreshold);
  if (upper) thresholds.upper = upper->value;
  if (!lower) return;
  if (thresholds.upper == 0) {
    section.report().add(*lower->node, {Level::note, "without uthreshold it does nothing"});
  } else if (lower->value > thresholds.upper) {
    section.report().add(*lower->node, {Level::changed, "it is above uthreshold, and left out",
                                        "set `lower` below `upper`"});
  } else {
    thresholds.lower = lower->value;
  }
}

}  // namespace

std::optional<Given<Way>> readWay(const Section& section,
                                  std::initializer_list<std::string_view> keywords) {
  auto* node = section.last(keywords);
  if (node == nullptr) return std::nullopt;
  const auto& method = node->word(1);
  Way way;
  if (method == "TUN") {
    way.forward = config::Forward::tunnel;
    const auto wrong = readTunnel(node->words, way.tunnel);
    if (!wrong && fits(way.tunnel)) return Given<Way>{way, node};
  } else if (method == "NAT" || method == "DR") {
    expectWords(*node, 2, section.report());
    if (method == "DR") way.forward = config::Forward::direct;
    return Given<Way>{way, node};
  }
  sayInvalid(*node, "NAT, DR or TUN with options that go together", section.report());
  return std::nullopt;
}

std::optional<ServerDraft> readRealServer(Node& node, const ServerDefaults& defaults,
                                          Report& report) {
  const Section section(node, report);
  ServerDraft draft;
  if (!readTarget(node, report, draft)) {
    markSeen(node);
    return std::nullopt;
  }
  draft.server.weight = defaults.weight;
  const auto weight = section.number("weight", 0, 65535);
  if (weight) draft.server.weight = weight->value;
  draft.way = defaults.way;
  if (const auto way = readWay(section, {"lvs_method"})) {
    draft.way = way->value;
    draft.wayNode = way->node;
  }
  const auto inhibit = section.flag("inhibit_on_failure");
  draft.inhibit = inhibit ? inhibit->value : defaults.inhibit;
  readThresholds(section, draft.server.thresholds);
  section.say(kServerFates);
  auto checked = defaults.checked;
  checked.address = draft.server.addresses.front();
  checked.port = draft.port;
  const auto timing = readTiming(section, 1);
  checked.timing = timing.within(defaults.checked.timing);
  const auto host = section.text("virtualhost");
  if (host) checked.virtualHost = host;
  draft.checks = readChecks(section, checked);
  sayUseless(timing, report);
  if (host && !host->node->useful) {
    report.add(*host->node, {Level::note, "no check in this block goes by it"});
  }
  if (draft.server.weight == 0) {
    report.add(weight ? *weight->node : node,
               {Level::changed, "a server of weight 0 gets nothing, and is left out",
                "add it when it is to serve"});
    return std::nullopt;
  }
  return draft;
}

std::optional<ServerDraft> readSorryServer(const Section& virtualServer, const Way& way) {
  auto* node = virtualServer.last("sorry_server");
  const auto own = readWay(virtualServer, {"sorry_server_lvs_method"});
  auto* inhibit = virtualServer.last("sorry_server_inhibit");
  ServerDraft draft;
  if (node == nullptr) {
    for (auto* useless : {own ? own->node : nullptr, inhibit}) {
      if (useless == nullptr) continue;
      virtualServer.report().add(*useless, {Level::note, "there is no sorry_server"});
    }
    return std::nullopt;
  }
  if (!readTarget(*node, virtualServer.report(), draft)) return std::nullopt;
  draft.way = own ? own->value : way;
  draft.wayNode = own ? own->node : nullptr;
  return draft;
}

}  // namespace l4ward::keepalived
