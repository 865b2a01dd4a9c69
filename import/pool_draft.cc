// One pool of real servers that Keepalived lets differ in everything.
#include <algorithm>

#include "import/virtual_server.h"

namespace l4ward::keepalived {
namespace {

using healthcheck::ExecProbe;

constexpr std::size_t kMaxServers = 4000;  // of a pool, so that there is room for a backup pool
constexpr std::size_t kMaxChecks = 8;      // of a pool

using Checks = std::vector<config::Check>;

Checks checksOf(const ServerDraft& server) {
  Checks checks;
  for (const auto& draft : server.checks) checks.push_back(draft.check);
  return checks;
}

// What most have; of equally many the one that comes first.
template <typename Value, typename Of>
Value mostCommon(const std::vector<ServerDraft>& servers, Of of) {
  std::vector<std::pair<Value, std::size_t>> counts;
  for (const auto& server : servers) {
    const auto value = of(server);
    const auto known = std::find_if(counts.begin(), counts.end(),
                                    [&](const auto& entry) { return entry.first == value; });
    if (known == counts.end()) {
      counts.emplace_back(value, 1);
    } else {
      ++known->second;
    }
  }
  return std::max_element(counts.begin(), counts.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

void keepOneWay(std::vector<ServerDraft>& servers, Report& report) {
  const auto way = mostCommon<Way>(servers, [](const auto& server) { return server.way; });
  std::erase_if(servers, [&](const auto& server) {
    if (server.way == way) return false;
    report.add(server.wayNode != nullptr ? *server.wayNode : *server.node,
               {Level::lost, "most servers of its pool are reached in another way; it is left out",
                "give it a pool and a service of its own"});
    return true;
  });
}

// Only tunnels carry one family to the other.
void keepOneFamily(std::vector<ServerDraft>& servers, const std::vector<Entry>& entries,
                   Report& report) {
  if (servers.front().way.forward == config::Forward::tunnel) return;
  const auto addressed = std::find_if(entries.begin(), entries.end(),
                                      [](const auto& entry) { return !entry.vips.empty(); });
  const auto family = addressed != entries.end()
                          ? addressed->vips.front().address.family()
                          : servers.front().server.addresses.front().family();
  std::erase_if(servers, [&](const auto& server) {
    if (server.server.addresses.front().family() == family) return false;
    report.add(*server.node, {Level::lost,
                              "not of its virtual server's family, which takes a "
                              "tunnel; it is left out",
                              "use `forward: tunnel`"});
    return true;
  });
}

void keepEachOnce(std::vector<ServerDraft>& servers, Report& report) {
  std::set<IpAddress> known;
  std::erase_if(servers, [&](const auto& server) {
    const bool fresh = known.insert(server.server.addresses.front()).second;
    if (fresh && known.size() <= kMaxServers) return false;
    report.add(*server.node,
               {Level::lost,
                fresh ? "more than 4000 servers; it is left out"
                      : "a second server with this address, at another port; it is left out",
                fresh ? "" : "give it an address of its own"});
    return true;
  });
}

bool isAskedFor(std::uint16_t port, const std::vector<Entry>& entries) {
  return std::all_of(entries.begin(), entries.end(),
                     [&](const auto& entry) { return !entry.mark && entry.port == port; });
}

// Where the servers of a masquerading pool listen, if that is not where clients ask; else 0.
std::uint16_t keepOnePort(const std::vector<ServerDraft>& servers,
                          const std::vector<Entry>& entries, Report& report) {
  const bool rewritten = servers.front().way.forward == config::Forward::masquerade;
  const auto portOf = [&](const ServerDraft& server) {
    return isAskedFor(server.port, entries) ? std::uint16_t{0} : server.port;
  };
  const auto port = mostCommon<std::uint16_t>(servers, portOf);
  for (const auto& server : servers) {
    if (!rewritten && portOf(server) != 0) {
      report.add(*server.node, {Level::note,
                                "packets keep the port that the client asked for; "
                                "checks go to the server's"});
    }
    if (rewritten && portOf(server) != port) {
      report.add(*server.node,
                 {Level::lost, "a pool's servers listen at one port, and most of them at another",
                  "let the server listen there, or give it a pool of its own"});
    }
  }
  return rewritten ? port : 0;
}

// A check of the service's own port says nothing about it, so that it is good for other ports, too.
// False: the check needs a port and nothing says which.
bool settlePort(CheckDraft& draft, const std::vector<Entry>& entries, std::uint16_t serverPort,
                Report& report) {
  auto& check = draft.check;
  if (std::holds_alternative<healthcheck::IcmpProbe>(check.how) ||
      std::holds_alternative<ExecProbe>(check.how)) {
    check.port.reset();
    return true;
  }
  const auto first = serverPort != 0 ? serverPort : entries.front().port;
  const bool one = serverPort != 0 || (first != 0 && isAskedFor(first, entries));
  if (std::holds_alternative<healthcheck::DnsProbe>(check.how)) {
    if (!check.port) check.port = one ? first : 53;
    return true;
  }
  if (one && check.port.value_or(first) == first) check.port.reset();
  const bool each = std::all_of(entries.begin(), entries.end(),
                                [](const auto& entry) { return !entry.mark && entry.port != 0; });
  if (check.port || one || each) return true;
  report.add(*draft.node, {Level::lost,
                           "it says no port, and its service has no single one; this "
                           "check is left out",
                           "set `port`"});
  return false;
}

// A program may be about one server; it is kept only if all have it.
bool isForOne(const CheckDraft& draft, const std::vector<ServerDraft>& servers) {
  if (!std::holds_alternative<ExecProbe>(draft.check.how)) return false;
  return !std::all_of(servers.begin(), servers.end(), [&](const auto& server) {
    const auto checks = checksOf(server);
    return std::find(checks.begin(), checks.end(), draft.check) != checks.end();
  });
}

void dropOwnPrograms(std::vector<ServerDraft>& servers, Report& report) {
  const auto before = servers;
  for (auto& server : servers) {
    std::erase_if(server.checks, [&](const auto& draft) {
      if (!isForOne(draft, before)) return false;
      report.add(*draft.node, {Level::lost,
                               "a pool's servers have one command, and others of them "
                               "have another; this check is left out",
                               "let the program read L4WARD_CHECK_ADDRESS from its environment"});
      return true;
    });
  }
}

std::string wantedName(const config::Check& check) {
  using namespace healthcheck;
  struct Names {
    std::string operator()(const HttpProbe& probe) const {
      return "http" + (probe.path == "/" ? "" : probe.path);
    }
    std::string operator()(const DnsProbe&) const { return "dns"; }
    std::string operator()(const UdpProbe&) const { return "udp"; }
    std::string operator()(const IcmpProbe&) const { return "icmp"; }
    std::string operator()(const ExecProbe& probe) const {
      return probe.command.front().substr(probe.command.front().rfind('/') + 1);
    }
    std::string operator()(const TcpProbe& probe) const { return probe.expect ? "smtp" : "tcp"; }
    std::string operator()(const GrpcProbe&) const { return "grpc"; }
    std::string operator()(const FileProbe&) const { return "file"; }
    std::string operator()(const AgentProbe&) const { return "agent"; }
  };
  auto name = std::visit(Names(), check.how);
  if (check.tls) name.insert(4, "s");
  std::replace(name.begin(), name.end(), '/', '-');
  while (name.ends_with('-')) name.pop_back();
  return check.port ? name + "-" + std::to_string(*check.port) : name;
}

// The checks that most servers have; the others' are reported.
Checks commonChecks(std::vector<ServerDraft>& servers, const std::vector<Entry>& entries,
                    std::uint16_t serverPort, Report& report) {
  for (auto& server : servers) {
    std::erase_if(server.checks,
                  [&](auto& draft) { return !settlePort(draft, entries, serverPort, report); });
  }
  dropOwnPrograms(servers, report);
  auto checks = mostCommon<Checks>(servers, checksOf);
  for (const auto& server : servers) {
    if (server.checks.empty() && !checks.empty()) {
      report.add(*server.node, {Level::changed,
                                "it had no checks, and has those of its pool's "
                                "other servers now",
                                "give it a pool of its own if it cannot pass them"});
    }
    for (const auto& draft : server.checks) {
      if (std::find(checks.begin(), checks.end(), draft.check) != checks.end()) continue;
      report.add(*draft.node, {Level::lost,
                               "a pool's servers have the same checks, and most of "
                               "them have other ones; this check is left out",
                               "make them alike, or give the server a pool of its own"});
    }
  }
  return checks;
}

Checks eachOnce(const Checks& checks, const ServerDraft& owner, Report& report) {
  Checks kept;
  for (const auto& check : checks) {
    if (std::find(kept.begin(), kept.end(), check) != kept.end()) continue;
    if (kept.size() == kMaxChecks) {
      report.add(*owner.node, {Level::lost, "a pool has at most 8 checks; the others are left out",
                               "put them into one page or program"});
      return kept;
    }
    kept.push_back(check);
  }
  return kept;
}

}  // namespace

std::string addServers(std::vector<ServerDraft> servers, const std::vector<Entry>& entries,
                       const std::string& name, SiteDraft& site, Report& report) {
  keepEachOnce(servers, report);
  if (servers.empty()) return "";
  keepOneWay(servers, report);
  keepOneFamily(servers, entries, report);
  if (servers.empty()) return "";
  config::Pool pool;
  pool.forward = servers.front().way.forward;
  pool.tunnel = servers.front().way.tunnel;
  pool.serverPort = keepOnePort(servers, entries, report);
  const auto checks = commonChecks(servers, entries, pool.serverPort, report);
  for (const auto& check : eachOnce(checks, servers.front(), report)) {
    pool.checks.push_back(site.addCheck(check, wantedName(check)));
  }
  for (const auto& server : servers) pool.servers.push_back(server.server);
  return site.addPool(std::move(pool), name);
}

}  // namespace l4ward::keepalived
