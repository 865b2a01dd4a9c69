#include "agent/alarms.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace l4ward::agent {
namespace {

using control::Alarm;
using control::NodeStatus;

constexpr const char* kCritical = "critical";
constexpr const char* kWarning = "warning";
// How long mended differences are shown.
constexpr double kDriftShown = 600;

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

std::string count(std::size_t number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

class Collector {
 public:
  Collector(const NodeStatus& status, double driftAt) : status_(status), driftAt_(driftAt) {}

  std::vector<Alarm> run() {
    node();
    bgp();
    pools();
    services();
    vips();
    checks();
    std::ranges::stable_sort(alarms_, {}, [](const Alarm& alarm) {
      return std::tuple(alarm.severity != kCritical, alarm.since == 0, alarm.since);
    });
    return std::move(alarms_);
  }

 private:
  void add(const char* severity, std::string id, std::string subject, std::string text,
           std::string next, double since) {
    alarms_.push_back(
        {severity, std::move(id), std::move(subject), std::move(text), std::move(next), since});
  }

  void node() {
    const auto& node = status_.node;
    if (node.suspect) {
      add(kCritical, "node.suspect", "node",
          "every check failed at once: maybe this node has lost its network; its virtual IPs are "
          "withdrawn, IPVS is left as it was",
          "l4wardctl checks", 0);
    }
    if (!node.reloads.lastSucceeded) {
      add(kWarning, "config.reload_failed", node.siteFile,
          "the last reload failed, the old site file is in force: " + node.reloads.lastReason,
          "l4ward --check --config " + node.siteFile, node.reloads.lastAt);
    }
    for (const auto& [pool, why] : node.staleServers) {
      add(kWarning, "discovery.stale", "pool " + pool, "it keeps the servers that it had: " + why,
          "l4ward --check --config " + node.siteFile, 0);
    }
    if (driftAt_ > 0 && status_.at - driftAt_ < kDriftShown) {
      add(kWarning, "ipvs.drift", "IPVS", "somebody else changed it, it has been mended",
          "l4wardctl events", driftAt_);
    }
  }

  // Before the agent runs, and while it only observes, others answer for the kernel.
  bool acts() const {
    return status_.node.phase != "starting" && status_.node.phase != "observing";
  }

  void bgp() {
    const auto& relay = status_.relay;
    if (!relay.configured) return;
    if (!relay.connected) {
      add(kCritical, "bgp.relay_lost", "BGP",
          "l4ward-exabgp is not connected: ExaBGP is not told of any change", "l4wardctl bgp", 0);
    }
    if (relay.unheard) {
      add(kCritical, "bgp.unheard", "BGP", "no session is up, so no router hears what is announced",
          "l4wardctl bgp", 0);
    }
    for (const auto& neighbor : status_.neighbors) {
      if (neighbor.state != "down" && neighbor.state != "connected") continue;
      add(kWarning, "bgp.session_down", "neighbor " + neighbor.address,
          "the session is " + std::string(neighbor.state == "down" ? "down" : "not up yet") +
              (neighbor.reason.empty() ? "" : ": " + neighbor.reason),
          "l4wardctl bgp", neighbor.since);
    }
  }

  // Of a dead pool's servers nothing more is said.
  void pools() {
    std::map<std::string, std::vector<const control::Server*>> pools;
    for (const auto& server : status_.servers) pools[server.pool].push_back(&server);
    for (const auto& [name, servers] : pools) {
      const auto isDown = [](const control::Server* server) { return server->state == "down"; };
      const auto takesNone = [&](const control::Server* server) {
        return isDown(server) || server->state == "draining" || server->state == "disabled";
      };
      double since = 0;
      for (const auto* server : servers) since = std::max(since, server->since);
      if (std::ranges::all_of(servers, takesNone) && std::ranges::any_of(servers, isDown)) {
        add(kCritical, "pool.dead", "pool " + name,
            "none of its " + count(servers.size(), "server") + " is up: " + servers.front()->name +
                " " + servers.front()->because,
            "l4wardctl servers --pool " + name, since);
        continue;
      }
      for (const auto* server : servers) {
        if (!isDown(server)) continue;
        add(kWarning, "server.down", "server " + name + "/" + server->name, server->because,
            "l4wardctl checks --server " + server->name, server->since);
      }
    }
  }

  // One for all addresses and ports of a service that say the same.
  void services() {
    std::set<std::pair<std::string, std::string>> told;
    for (const auto& service : status_.services) {
      if (service.name.empty()) continue;
      const auto once = [&](const char* severity, const char* id, const std::string& text,
                            const std::string& next) {
        if (!told.emplace(id, service.name).second) return;
        add(severity, id, "service " + service.name, text, next, 0);
      };
      const auto look = "l4wardctl services";
      if (status_.node.phase != "starting") {
        if (!service.programmed && acts()) {
          once(kCritical, "service.not_programmed",
               service.key + ": the kernel does not hold what is wanted", "l4wardctl events");
        }
        if (!service.quorum) once(kCritical, "pool.quorum_lost", service.quorumText, look);
      }
      if (service.uses == "all") {
        once(kCritical, "service.panic",
             "so few servers pass that checks are not believed: " + service.quorumText,
             "l4wardctl checks");
      }
      if (service.uses == "backup") {
        once(kWarning, "service.backup",
             "pool " + service.backupPool + " has taken over: " + service.quorumText, look);
      }
    }
  }

  void vips() {
    for (const auto& vip : status_.vips) {
      if (!vip.onInterface && acts()) {
        add(kCritical, "vip.missing", "vip " + vip.prefix,
            "it is not on interface " + status_.node.interface, "l4wardctl events", vip.since);
      }
      if (vip.heldUntil > status_.at) {
        add(kWarning, "vip.held_down", "vip " + vip.prefix,
            "it came and went too often and is not announced for " +
                count(static_cast<std::size_t>(vip.heldUntil - status_.at) + 1, "second"),
            "l4wardctl events", vip.since);
      }
    }
  }

  // One for each check of the site file, however many servers it concerns.
  void checks() {
    struct Concerned {
      std::vector<std::string> servers;
      std::string text;
      double since = 0;
    };
    const auto collect = [&](const auto& textOf) {
      std::map<std::string, Concerned> all;
      for (const auto& check : status_.checks) {
        const std::string text = textOf(check);
        if (text.empty()) continue;
        auto& concerned = all[check.name];
        if (concerned.servers.empty()) concerned.text = text;
        if (concerned.since == 0 || check.last.at < concerned.since) {
          concerned.since = check.last.at;
        }
        concerned.servers.push_back(check.server);
      }
      return all;
    };
    const auto tell = [&](const char* id, const std::string& what, const auto& all) {
      constexpr std::size_t kNamed = 3;
      for (const auto& [name, concerned] : all) {
        const auto& servers = concerned.servers;
        const bool isMany = servers.size() > kNamed;
        add(kWarning, id, "check " + name,
            what + (isMany ? count(servers.size(), "server") : joined(servers)) + ": " +
                concerned.text,
            "l4wardctl checks", concerned.since);
      }
    };
    tell("check.broken", "this node cannot make it, of ", collect([](const control::Check& check) {
           return check.localError ? check.last.reason : std::string();
         }));
    tell("check.warning", "of ",
         collect([](const control::Check& check) { return check.warning; }));
  }

  const NodeStatus& status_;
  double driftAt_;
  std::vector<Alarm> alarms_;
};

}  // namespace

std::vector<Alarm> alarmsOf(const NodeStatus& status, double driftAt) {
  return Collector(status, driftAt).run();
}

}  // namespace l4ward::agent
