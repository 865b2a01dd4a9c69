#include "config/load.h"

#include "base/file.h"
#include "base/host_name.h"
#include "config/diagnostics.h"
#include "config/sections.h"
#include "config/servers_from.h"
#include "config/validate.h"
#include "config/words.h"
#include "config/yaml_tree.h"

namespace l4ward::config {
namespace {

using namespace std::chrono_literals;

constexpr DurationRange kDrainLimit{0s, 24h};
constexpr DurationRange kAnnounceDeadline{0s, 1h};
constexpr DurationRange kShutdown{0s, 1h};

void readNode(const Record& root, const std::string& hostName, Site& site) {
  if (const auto node = root.find("node")) {
    site.node = node->name().value_or("");
  } else if (isName(hostName)) {
    site.node = hostName;
  } else {
    root.value().errors().add({}, "node", "no such key, and the host name is " + inQuotes(hostName),
                              "this node's name: 1 to 64 letters, digits, '.', '_' or '-'");
  }
}

Shutdown readShutdown(const Value& value) {
  const Record record(value, {"on_stop", "graceful", "drain"});
  Shutdown shutdown;
  shutdown.onStop = static_cast<OnStop>(record.choice("on_stop", {"withdraw", "hold"}, 0));
  shutdown.graceful = record.duration("graceful", kShutdown, shutdown.graceful);
  shutdown.drain = record.duration("drain", kShutdown, shutdown.drain);
  return shutdown;
}

Site readSite(const Record& root, const std::string& hostName, const ServersReader& read) {
  Site site;
  readNode(root, hostName, site);
  if (const auto interface = root.find("interface")) {
    site.interface =
        interface->text(isInterfaceName, "the name of an interface, 1 to 15 characters")
            .value_or("");
  }
  if (const auto bgp = root.find("bgp")) site.bgp = readBgp(*bgp);
  if (const auto checks = root.find("checks")) site.checks = readChecks(*checks);
  if (const auto pools = root.find("pools")) site.pools = readPools(*pools, read);
  if (const auto services = root.require("services", "a map of services; {} for none")) {
    site.services = readServices(*services);
  }
  if (const auto ipvs = root.find("ipvs")) site.ipvs = readIpvs(*ipvs);
  if (const auto vips = root.find("vips")) site.announceWhen = readVipRules(*vips);
  const auto sysctls = root.find("sysctls");
  site.sysctls = sysctls ? readSysctls(*sysctls) : defaultSysctls();
  site.drainLimit = root.duration("drain_limit", kDrainLimit, site.drainLimit);
  site.announceDeadline =
      root.duration("announce_deadline", kAnnounceDeadline, site.announceDeadline);
  if (const auto shutdown = root.find("shutdown")) site.shutdown = readShutdown(*shutdown);
  site.suspectNode = root.choice("on_all_down", {"node-suspect", "believe"}, 0) == 0;
  if (const auto path = root.find("data_path")) site.dataPath = readDataPath(*path);
  if (const auto control = root.find("control")) site.control = readControl(*control);
  return site;
}

tl::unexpected<std::vector<Diagnostic>> failWith(Diagnostic diagnostic) {
  return tl::unexpected(std::vector<Diagnostic>{std::move(diagnostic)});
}

}  // namespace

std::string Diagnostic::str() const {
  std::string text = file;
  if (line > 0) text += ":" + std::to_string(line) + ":" + std::to_string(column);
  text += ": ";
  if (!path.empty()) text += path + ": ";
  return text + "found " + found + ", expected " + expected;
}

std::string linesOf(const std::vector<Diagnostic>& diagnostics) {
  std::string lines;
  for (const auto& diagnostic : diagnostics) {
    lines += (lines.empty() ? "" : "\n") + diagnostic.str();
  }
  return lines;
}

Checked<Site> loadSite(std::string_view text, const std::string& file, const std::string& hostName,
                       const ServersReader& read) {
  if (text.size() > kMaxSiteBytes) {
    return failWith({file, 0, 0, "", "more than 4 MiB", "a file of at most 4 MiB"});
  }
  const auto tree = parseYaml(text, file);
  if (!tree) return failWith(tree.error());
  if (tree->kind == Node::Kind::null) {
    return failWith({file, 0, 0, "", "an empty file", "a site file with at least `services`"});
  }
  Diagnostics errors(file);
  const Record root(
      Value(*tree, "", errors),
      {"node", "interface", "bgp", "checks", "pools", "services", "vips", "ipvs", "sysctls",
       "drain_limit", "announce_deadline", "shutdown", "on_all_down", "data_path", "control"});
  Site site = readSite(root, hostName, read);
  validate(site, errors);
  if (!errors.empty()) return tl::unexpected(errors.take());
  return site;
}

Checked<std::string> readSiteFile(const std::string& path) {
  auto text = readFile(path, kMaxSiteBytes);
  if (text) return *std::move(text);
  return failWith({path, 0, 0, "", "nothing to read (" + text.error().message + ")",
                   "a file of at most 4 MiB"});
}

Checked<Site> loadSiteFile(const std::string& path) {
  const auto text = readSiteFile(path);
  if (!text) return tl::unexpected(text.error());
  return loadSite(*text, path, hostName(), serversBeside(path));
}

}  // namespace l4ward::config
