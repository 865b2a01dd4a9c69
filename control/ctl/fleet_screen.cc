#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/ctl/fleet.h"
#include "control/ctl/screens.h"
#include "control/ctl/table.h"
#include "control/ctl/tones.h"

namespace l4ward::ctl {
namespace {

using control::NodeStatus;
using Kind = Column::Kind;

constexpr std::size_t kNamed = 6;  // nodes that say the same, by name; more are counted

std::size_t announced(const NodeStatus& status) {
  return static_cast<std::size_t>(
      std::count_if(status.vips.begin(), status.vips.end(),
                    [](const control::Vip& vip) { return vip.state == "announced"; }));
}

std::size_t serversUp(const NodeStatus& status) {
  return static_cast<std::size_t>(
      std::count_if(status.servers.begin(), status.servers.end(),
                    [](const control::Server& server) { return isWell(server.state); }));
}

void addRow(Table& table, const NodeAnswer& answer) {
  if (!answer.status) {
    table.row({"?", answer.url, {"no answer", Tone::bad}});
    table.note(answer.error, Tone::bad);
    return;
  }
  const auto& status = *answer.status;
  const auto up = serversUp(status);
  const auto vips = announced(status);
  table.row({status.node.name,
             answer.url,
             {status.node.phase, toneOf(status.node.phase)},
             status.node.version,
             status.node.siteHash.substr(0, 8),
             totalDigest(status).substr(0, 8),
             {fmt::format("{}/{}", up, status.servers.size()),
              up == status.servers.size() ? Tone::plain : Tone::warning},
             fmt::format("{}/{}", vips, status.vips.size()),
             status.alarms.empty()
                 ? Cell("0")
                 : Cell(std::to_string(status.alarms.size()), toneOf(status.alarms[0].severity)),
             std::to_string(status.overrides.size())});
}

std::string nodesText(const std::vector<std::string>& nodes) {
  if (nodes.size() <= kNamed) return join(nodes, ", ");
  return plural(nodes.size(), "node") + ", " + join({nodes.begin(), nodes.begin() + 2}, ", ") +
         " …";
}

}  // namespace

std::string fleetScreen(const std::vector<NodeAnswer>& answers, const Style& style) {
  Table table({{"NODE", Kind::cut},
               {"URL", Kind::cut},
               {"PHASE"},
               {"VERSION"},
               {"SITE"},
               {"DIGEST"},
               {"UP", Kind::right},
               {"VIPS", Kind::right},
               {"ALARMS", Kind::right},
               {"OVERRIDES", Kind::right}});
  for (const auto& answer : answers) addRow(table, answer);
  const auto comparison = compare(answers);
  std::string text = table.str(style) + "\n";
  if (comparison.agree()) return text + painted("all nodes agree", Tone::good, style) + "\n";
  if (!comparison.complete) {
    const auto silent = static_cast<std::size_t>(std::count_if(
        answers.begin(), answers.end(), [](const NodeAnswer& answer) { return !answer.status; }));
    text += painted(plural(silent, "node") + " did not answer", Tone::bad, style) + "\n";
  }
  if (comparison.differences.empty()) return text + "those that answered agree\n";
  Table differences({{"DIFFERENT", Kind::cut}, {"VALUE", Kind::cut}, {"ON", Kind::wrap}});
  for (const auto& difference : comparison.differences) {
    std::string of = difference.of;
    for (const auto& said : difference.said) {
      differences.row({of, {said.value, toneOf(said.value)}, nodesText(said.nodes)});
      of.clear();
    }
  }
  return text + differences.str(style) +
         painted(plural(comparison.differences.size(), "difference"), Tone::bad, style) + "\n";
}

nlohmann::json fleetJson(const std::vector<NodeAnswer>& answers) {
  using nlohmann::json;
  const auto comparison = compare(answers);
  json nodes = json::array();
  for (const auto& answer : answers) {
    json node{{"url", answer.url}};
    if (!answer.status) {
      node["error"] = answer.error;
    } else {
      const auto& status = *answer.status;
      node["name"] = status.node.name;
      node["version"] = status.node.version;
      node["phase"] = status.node.phase;
      node["site_hash"] = status.node.siteHash;
      node["digest"] = totalDigest(status);
      node["servers"] = status.servers.size();
      node["servers_up"] = serversUp(status);
      node["vips"] = status.vips.size();
      node["vips_announced"] = announced(status);
      node["alarms"] = status.alarms.size();
      node["overrides"] = status.overrides.size();
    }
    nodes.push_back(std::move(node));
  }
  json differences = json::array();
  for (const auto& difference : comparison.differences) {
    json said = json::array();
    for (const auto& one : difference.said) {
      said.push_back({{"value", one.value}, {"nodes", one.nodes}});
    }
    differences.push_back({{"of", difference.of}, {"said", std::move(said)}});
  }
  return {{"agree", comparison.agree()},
          {"nodes", std::move(nodes)},
          {"differences", std::move(differences)}};
}

}  // namespace l4ward::ctl
