#include "import/virtual_server.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace l4ward::keepalived {
namespace {

constexpr std::array kServiceFates{
    Fate{"ha_suspend", Level::lost, "checks always run",
         "nothing: a node that does not announce a VIP does not disturb by checking"},
    Fate{"smtp_alert", Level::lost, "l4ward sends no mail", "alert on the metrics"},
    Fate{"snmp_name", Level::lost, "l4ward has no SNMP", "the metrics have the service's name"},
    Fate{"alpha", Level::note, "a server always waits for its first answer before it is used", ""},
    Fate{"omega", Level::note, "a stopping node withdraws its VIPs; it starts no programs",
         "see `shutdown`"},
    Fate{"quorum_up", Level::lost, "l4ward starts no programs when a service changes",
         "VIPs are announced by BGP; for others follow the log or the metrics"},
    Fate{"quorum_down", Level::lost, "l4ward starts no programs when a service changes",
         "VIPs are withdrawn by BGP; for others follow the log or the metrics"},
    Fate{"ip_family", Level::note, "the family of a mark's service is that of its `vips`", ""},
    Fate{"warmup", Level::changed, "l4ward spreads first probes over one second, or the interval",
         ""},
    Fate{"hashed", Level::note, "Keepalived itself does nothing with it", ""},
};

// What is behind the keyword; none: reported, and the block is left out.
std::optional<std::vector<Entry>> readEntries(Node& node, Globals& globals, Report& report) {
  if (node.word(1) != "group") {
    auto entry = readEntry(node, 1, report);
    return entry ? std::optional(std::vector{std::move(*entry)}) : std::nullopt;
  }
  expectWords(node, 3, report);
  const auto group = globals.groups.find(node.word(2));
  if (group == globals.groups.end()) {
    report.add(node, {Level::lost, "there is no group of this name; the virtual server is left out",
                      "import the file that has the group, too"});
    return std::nullopt;
  }
  group->second.used = true;
  if (!group->second.entries.empty()) return group->second.entries;
  report.add(node, {Level::lost, "nothing is left of its group; the virtual server is left out",
                    "see the lines of the group"});
  return std::nullopt;
}

ServerDefaults readDefaults(const Section& section, const Globals& globals) {
  ServerDefaults defaults;
  if (const auto way = readWay(section, {"lvs_method", "lb_kind"})) defaults.way = way->value;
  if (const auto weight = section.number("weight", 1, 65535)) defaults.weight = weight->value;
  const auto inhibit = section.flag("inhibit_on_failure");
  defaults.inhibit = inhibit && inhibit->value;
  defaults.checked.timing = readTiming(section, 1);
  defaults.checked.virtualHost = section.text("virtualhost");
  defaults.checked.tls = globals.tls;
  defaults.checked.scriptUser = globals.scriptUser;
  return defaults;
}

std::vector<ServerDraft> readServers(const Section& section, const ServerDefaults& defaults) {
  std::vector<ServerDraft> servers;
  for (auto* node : section.all({"real_server"})) {
    auto server = readRealServer(*node, defaults, section.report());
    if (server) servers.push_back(std::move(*server));
  }
  const bool removed = std::any_of(servers.begin(), servers.end(),
                                   [](const auto& server) { return !server.inhibit; });
  if (removed) {
    section.report().add({section.block().place.file, 0}, "inhibit_on_failure", "",
                         {Level::changed,
                          "a server that is down stays with weight 0 in any case, "
                          "so that its connections can end",
                          ""});
  }
  sayUseless(defaults.checked.timing, section.report());
  const auto& host = defaults.checked.virtualHost;
  if (host && !host->node->useful) {
    section.report().add(*host->node, {Level::note, "no check in this block goes by it"});
  }
  return servers;
}

std::uint64_t weightOf(const std::vector<config::Server>& servers) {
  return std::accumulate(servers.begin(), servers.end(), std::uint64_t{0},
                         [](auto sum, const auto& server) { return sum + server.weight; });
}

// A VIP that is a server's address would be taken by the node itself.
void cutOut(const Prefix& vip, const std::set<IpAddress>& servers, std::vector<Prefix>& rest) {
  const auto inside = servers.lower_bound(vip.address);
  if (inside == servers.end() || !vip.contains(*inside)) {
    rest.push_back(vip);
  } else if (!vip.isHost()) {
    const auto [low, high] = halvesOf(vip);
    cutOut(low, servers, rest);
    cutOut(high, servers, rest);
  }
}

void addEntries(const std::vector<Entry>& entries, const std::set<IpAddress>& servers,
                std::optional<Family> only, ServiceDraft& draft, Report& report) {
  for (const auto& entry : entries) {
    if (entry.mark) draft.marks.push_back({*entry.mark, entry.node});
    if (entry.mark || entry.vips.empty()) continue;
    if (only && entry.vips.front().address.family() != *only) {
      report.add(*entry.node, {Level::lost,
                               "the servers are of the other family, which takes a "
                               "tunnel; it is left out",
                               "use `forward: tunnel`"});
      continue;
    }
    if (entry.port == 0 && !draft.service.persistence) {
      report.add(*entry.node, {Level::lost,
                               "all ports, and no persistence: the kernel does not "
                               "have that; it is left out",
                               "name the ports, or use `mark`"});
      continue;
    }
    std::vector<Prefix> vips;
    for (const auto& vip : entry.vips) cutOut(vip, servers, vips);
    if (vips != entry.vips) {
      report.add(*entry.node, {Level::lost,
                               "an address of one of its servers, which cannot be a "
                               "VIP, too; it is left out",
                               "give the server or the VIP another address"});
    }
    for (const auto& vip : vips) draft.entries.push_back({vip, entry.port, entry.node});
  }
}

std::string nameOf(const Node& node, const std::vector<Entry>& entries) {
  if (node.word(1) == "group") return nameFrom(node.word(2));
  if (entries.front().mark) return "fwmark";
  return nameFrom(entries.front().vips.front().address.str());
}

// The servers' only family if they are not reached by tunnels.
std::optional<Family> familyOf(const config::Pool& pool) {
  if (pool.forward == config::Forward::tunnel) return std::nullopt;
  return pool.servers.front().addresses.front().family();
}

bool isFamily(const std::vector<Entry>& entries, const config::Pool& pool,
              const config::Pool& backup) {
  const auto family = familyOf(backup);
  if (!family) return true;
  if (familyOf(pool)) return familyOf(pool) == family;
  return std::all_of(entries.begin(), entries.end(), [&](const auto& entry) {
    return entry.vips.empty() || entry.vips.front().address.family() == *family;
  });
}

std::set<IpAddress> addressesOf(const config::Pool& pool) {
  std::set<IpAddress> addresses;
  for (const auto& server : pool.servers) addresses.insert(server.addresses.front());
  return addresses;
}

// The pool of the sorry server, if there is one that fits.
std::string addBackup(const Section& section, const Way& way, const std::vector<Entry>& entries,
                      const std::string& poolName, SiteDraft& site) {
  auto sorry = readSorryServer(section, way);
  if (!sorry) return "";
  auto& report = section.report();
  auto* node = sorry->node;
  const auto name =
      addServers({std::move(*sorry)}, entries, "sorry-" + node->word(1), site, report);
  if (name.empty() || name == poolName) {
    report.add(*node, {Level::lost, "it is no server beside those of the pool", ""});
    return "";
  }
  if (isFamily(entries, site.pool(poolName), site.pool(name))) return name;
  report.add(*node, {Level::lost,
                     "not of its virtual server's family, which takes a tunnel; it is "
                     "left out",
                     "use `sorry_server_lvs_method TUN` and import again"});
  return "";
}

}  // namespace

void importVirtualServer(Node& node, Globals& globals, SiteDraft& site, Report& report) {
  node.seen = true;
  const Section section(node, report);
  auto entries = readEntries(node, globals, report);
  if (!entries) {
    markSeen(node);
    return;
  }
  section.say(kServiceFates);
  const bool marked = std::all_of(entries->begin(), entries->end(),
                                  [](const auto& entry) { return entry.mark.has_value(); });
  ServiceDraft draft;
  draft.name = nameOf(node, *entries);
  draft.service = readService(section, marked);
  const auto defaults = readDefaults(section, globals);
  draft.service.pool =
      addServers(readServers(section, defaults), *entries, draft.name, site, report);
  if (draft.service.pool.empty()) {
    markSeen(node);
    report.add(node, {Level::lost, "no real server is left; the virtual server is left out",
                      "give it a server"});
    return;
  }
  const auto& pool = site.pool(draft.service.pool);
  auto servers = addressesOf(pool);
  const auto family = familyOf(pool);
  draft.service.quorum = readQuorum(section, weightOf(pool.servers));
  draft.service.backupPool = addBackup(section, defaults.way, *entries, draft.service.pool, site);
  if (!draft.service.backupPool.empty()) {
    servers.merge(addressesOf(site.pool(draft.service.backupPool)));
  }
  addEntries(*entries, servers, family, draft, report);
  site.addService(std::move(draft));
}

}  // namespace l4ward::keepalived
