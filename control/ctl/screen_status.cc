#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "control/ctl/screens.h"
#include "control/ctl/table.h"
#include "control/ctl/tones.h"

namespace l4ward::ctl {
namespace {

using control::NodeStatus;
using Kind = Column::Kind;

// At most `rows` of `all`, those that are not well first, and what to type for the rest.
template <typename T, typename IsWell, typename Add>
void addMost(Table& table, const std::vector<T>& all, std::size_t rows, const std::string& command,
             IsWell isWell, Add add) {
  std::vector<const T*> shown;
  for (const auto& one : all) shown.push_back(&one);
  std::size_t left = 0;
  if (rows > 0 && shown.size() > rows) {
    std::stable_partition(shown.begin(), shown.end(), [&](const T* one) { return !isWell(*one); });
    left = shown.size() - rows;
  }
  const auto unwell = std::any_of(shown.end() - static_cast<std::ptrdiff_t>(left), shown.end(),
                                  [&](const T* one) { return !isWell(*one); });
  shown.resize(shown.size() - left);
  for (const auto* one : shown) add(*one);
  if (left == 0) return;
  table.note(fmt::format("and {} more{}: l4wardctl {}", left, unwell ? "" : ", all well", command),
             Tone::dim);
}

std::string headOf(const NodeStatus& status, const Style& style) {
  const auto& node = status.node;
  std::string state = clean(node.phase);
  if (!node.ready && node.phase == "running") state += ", not ready";
  if (node.suspect) state += ", suspects itself";
  const auto tone = node.suspect ? Tone::bad : node.ready ? toneOf(node.phase) : Tone::warning;
  const auto name = clean(node.name);
  const auto version = "  l4ward " + clean(node.version) + "  ";
  const auto up = "up " + ageAt(node.startedAt, status.at) + ", since " + utc(node.startedAt) +
                  (node.startedAt > 0 ? " UTC" : "");
  const auto columns = columnsOf(name + version + state + "  " + up);
  const bool fits = style.width == 0 || columns <= style.width;
  return painted(name, Tone::strong, style) + version + painted(state, tone, style) +
         (fits ? "  " : "\n") + up + "\n";
}

// A node that was just installed.
std::string noServices(const NodeStatus& status, const Style& style) {
  const auto file = status.node.siteFile.empty() ? "the site file" : clean(status.node.siteFile);
  return "nothing to do: " + file + " has no services\n" +
         painted(
             "    -> write them there (examples: /usr/share/doc/l4ward/examples)\n"
             "    -> l4ward --check\n"
             "    -> l4wardctl reload\n",
             Tone::dim, style);
}

// On top of an agent that changes nothing.
std::string observingOf(const NodeStatus& status, const Style& style) {
  if (status.node.phase != "observing") return "";
  const auto count = status.differences.size();
  const auto text = count == 0 ? "the kernel is as it would have it"
                               : plural(count, "difference") + ": l4wardctl plan";
  return painted("OBSERVES ONLY, changes nothing", Tone::strong, style) + "  " +
         painted(text, count == 0 ? Tone::good : Tone::warning, style) + "\n";
}

std::string alarmsOf(const NodeStatus& status, const Style& style, std::size_t rows) {
  if (status.alarms.empty() && status.services.empty()) return noServices(status, style);
  if (status.alarms.empty()) return painted("all is well", Tone::good, style) + "\n";
  Table table({{"", Kind::left}, {"", Kind::left}, {"", Kind::wrap}});
  std::size_t shown = 0;
  for (const auto& alarm : status.alarms) {
    if (rows > 0 && shown++ == rows) {
      table.note(fmt::format("and {} more: l4wardctl status --all", status.alarms.size() - rows));
      break;
    }
    std::string severity = alarm.severity;
    std::transform(severity.begin(), severity.end(), severity.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    table.row({{severity, toneOf(alarm.severity)},
               ageAt(alarm.since, status.at),
               alarm.subject + ": " + alarm.text});
    if (!alarm.next.empty()) table.note("-> " + alarm.next, Tone::dim);
  }
  return table.str(style);
}

std::string neighborsOf(const NodeStatus& status, const Style& style, std::size_t rows) {
  if (!status.relay.configured) return "";
  Table table({{"NEIGHBOR"},
               {"AS", Kind::right},
               {"STATE"},
               {"SINCE", Kind::right},
               {"ROUTES", Kind::right},
               {"REASON", Kind::wrap}});
  addMost(
      table, status.neighbors, rows, "bgp",
      [](const control::Neighbor& neighbor) { return isWell(neighbor.state); },
      [&](const control::Neighbor& neighbor) {
        table.row({neighbor.address,
                   std::to_string(neighbor.peerAs),
                   {neighbor.state, toneOf(neighbor.state)},
                   ageAt(neighbor.since, status.at),
                   std::to_string(neighbor.routes),
                   isWell(neighbor.state) ? "" : neighbor.reason});
      });
  return table.str(style);
}

std::string vipsOf(const NodeStatus& status, const Style& style, std::size_t rows) {
  Table table({{"VIP"},
               {"STATE"},
               {"SINCE", Kind::right},
               {"SERVICES", Kind::cut},
               {"BECAUSE", Kind::wrap}});
  addMost(
      table, status.vips, rows, "vips", [](const control::Vip& vip) { return isWell(vip.state); },
      [&](const control::Vip& vip) {
        table.row({vip.prefix,
                   {vip.state, toneOf(vip.state)},
                   ageAt(vip.since, status.at),
                   join(vip.services, ", "),
                   isWell(vip.state) && vip.onInterface ? ""
                   : vip.onInterface                    ? vip.because
                                                        : "not on the interface; " + vip.because});
      });
  return table.str(style);
}

// The IPVS services of one service of the site file that are in the same state.
struct ServiceGroup {
  const control::Service* first = nullptr;
  std::size_t more = 0;
  std::uint64_t connections = 0;
};

std::vector<ServiceGroup> groupsOf(const NodeStatus& status) {
  std::vector<ServiceGroup> groups;
  std::map<std::tuple<std::string, std::uint64_t, std::uint64_t, bool, bool, std::string>,
           std::size_t>
      known;
  for (const auto& service : status.services) {
    const auto& name = service.name.empty() ? service.key : service.name;
    const auto [at, isNew] = known.try_emplace(
        {name, service.up, service.total, service.quorum, service.programmed, service.uses},
        groups.size());
    if (isNew) {
      groups.push_back({&service, 0, service.connections});
    } else {
      ++groups[at->second].more;
      groups[at->second].connections += service.connections;
    }
  }
  return groups;
}

bool servesWell(const control::Service& service) {
  return service.quorum && service.programmed && service.up == service.total &&
         service.uses == "checked" && !service.name.empty();
}

Tone upTone(const control::Service& service) {
  if (service.up == service.total) return Tone::plain;
  return service.quorum ? Tone::warning : Tone::bad;
}

std::string servicesOf(const NodeStatus& status, const Style& style, std::size_t rows) {
  Table table({{"SERVICE", Kind::cut},
               {"ADDRESS", Kind::cut},
               {"POOL", Kind::cut},
               {"UP", Kind::right},
               {"QUORUM"},
               {"CONNECTIONS", Kind::right},
               {"STATE", Kind::wrap}});
  addMost(
      table, groupsOf(status), rows, "services",
      [](const ServiceGroup& group) { return servesWell(*group.first); },
      [&](const ServiceGroup& group) {
        const auto& service = *group.first;
        const auto more = group.more > 0 ? fmt::format(" +{}", group.more) : "";
        std::vector<std::string> notes;
        if (!service.programmed) notes.emplace_back("not programmed");
        if (service.uses == "all") notes.emplace_back("panic: all servers are used");
        if (service.uses == "backup") notes.push_back("backup pool " + service.backupPool);
        if (service.name.empty()) notes.emplace_back("dropped, waits for its connections");
        table.row({service.name.empty() ? "-" : service.name,
                   service.key + more,
                   service.pool,
                   {fmt::format("{}/{}", service.up, service.total), upTone(service)},
                   service.quorum ? Cell("yes") : Cell("NO", Tone::bad),
                   status.countersAt > 0 ? count(group.connections) : "-",
                   {join(notes, ", "), Tone::warning}});
      });
  return table.str(style);
}

struct PoolGroup {
  std::string name;
  std::map<std::string, std::size_t> states;
  std::vector<std::string> notUp;

  std::size_t of(const std::string& state) const {
    const auto found = states.find(state);
    return found == states.end() ? 0 : found->second;
  }
};

std::string poolsOf(const NodeStatus& status, const Style& style, std::size_t rows) {
  std::map<std::string, PoolGroup> byName;
  for (const auto& server : status.servers) {
    auto& pool = byName[server.pool];
    pool.name = server.pool;
    ++pool.states[server.state];
    if (!isWell(server.state)) pool.notUp.push_back(server.name + " " + server.state);
  }
  std::vector<PoolGroup> pools;
  for (auto& [name, pool] : byName) pools.push_back(std::move(pool));
  // Columns of states that no server is in are left out, but the three that everyone looks for.
  static const std::vector<std::string> kStates{"up",       "warming", "draining",
                                                "disabled", "down",    "unknown"};
  std::vector<Column> columns{{"POOL", Kind::cut}};
  for (const auto& state : kStates) {
    std::string title = state;
    for (auto& c : title) c = static_cast<char>(c - 'a' + 'A');
    columns.push_back({title, Kind::right});
  }
  columns.push_back({"NOT UP", Kind::wrap});
  Table table(std::move(columns));
  addMost(
      table, pools, rows, "servers", [](const PoolGroup& pool) { return pool.notUp.empty(); },
      [&](const PoolGroup& pool) {
        std::vector<Cell> cells{pool.name};
        for (const auto& state : kStates) {
          const auto number = pool.of(state);
          const bool always = state == "up" || state == "draining" || state == "down";
          const bool anywhere = std::any_of(
              pools.begin(), pools.end(), [&](const PoolGroup& one) { return one.of(state) > 0; });
          cells.emplace_back(always || anywhere ? std::to_string(number) : "",
                             number > 0 && !isWell(state) ? toneOf(state) : Tone::plain);
        }
        auto named = pool.notUp;
        if (rows > 0 && named.size() > 4) {
          named.resize(4);
          named.push_back(fmt::format("{} more", pool.notUp.size() - 4));
        }
        cells.emplace_back(join(named, ", "));
        table.row(std::move(cells));
      });
  return table.str(style);
}

}  // namespace

std::string statusScreen(const NodeStatus& status, const Style& style, std::size_t rows) {
  std::string text =
      headOf(status, style) + observingOf(status, style) + "\n" + alarmsOf(status, style, rows);
  const auto section = [&](const std::string& part) {
    if (!part.empty()) text += "\n" + part;
  };
  if (!status.overrides.empty()) section(overridesScreen(status, style));
  section(neighborsOf(status, style, rows));
  section(vipsOf(status, style, rows));
  section(servicesOf(status, style, rows));
  section(poolsOf(status, style, rows));
  return text;
}

}  // namespace l4ward::ctl
