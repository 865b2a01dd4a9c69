#include "import/site_draft.h"

#include <algorithm>
#include <cctype>

#include "base/clock.h"
#include "config/sections.h"
#include "import/tree.h"
#include "import/yaml.h"

namespace l4ward::keepalived {
namespace {

constexpr std::size_t kNameLength = 48;  // leaves room for what makes it unique

// Virtual servers that become one service, and their places in the order of the file.
struct Merged {
  const ServiceDraft* first = nullptr;
  std::map<Prefix, std::set<std::uint16_t>> portsOf;
  std::vector<Prefix> order;
};

std::vector<Merged> merge(const std::vector<ServiceDraft>& drafts) {
  std::vector<Merged> merged;
  std::map<std::string, std::size_t> known;
  for (const auto& draft : drafts) {
    if (draft.entries.empty()) continue;
    const auto [at, fresh] = known.emplace(yamlOf(draft.service), merged.size());
    if (fresh) merged.push_back({&draft, {}, {}});
    auto& target = merged[at->second];
    for (const auto& entry : draft.entries) {
      const auto [ports, added] = target.portsOf.try_emplace(entry.vip);
      if (added) target.order.push_back(entry.vip);
      ports->second.insert(entry.port);
    }
  }
  return merged;
}

// Those that have the same ports, in the order of the file.
std::vector<std::pair<std::set<std::uint16_t>, std::vector<Prefix>>> byPorts(const Merged& merged) {
  std::vector<std::pair<std::set<std::uint16_t>, std::vector<Prefix>>> groups;
  std::map<std::set<std::uint16_t>, std::size_t> known;
  for (const auto& vip : merged.order) {
    auto ports = merged.portsOf.at(vip);
    const auto add = [&](const std::set<std::uint16_t>& some) {
      const auto [at, fresh] = known.emplace(some, groups.size());
      if (fresh) groups.push_back({some, {}});
      groups[at->second].second.push_back(vip);
    };
    if (ports.erase(0) > 0) add({0});  // `all` is no port among others
    if (!ports.empty()) add(ports);
  }
  return groups;
}

template <typename Range>
std::vector<std::vector<typename Range::value_type>> chunks(const Range& range, std::size_t size) {
  std::vector<std::vector<typename Range::value_type>> parts;
  for (const auto& item : range) {
    if (parts.empty() || parts.back().size() == size) parts.emplace_back();
    parts.back().push_back(item);
  }
  return parts;
}

template <typename Entry>
std::string sectionText(const std::string& name, const std::vector<Entry>& entries) {
  if (entries.empty()) return "";
  std::string out = "\n" + name + ":\n";
  for (const auto& entry : entries) out += yamlOf(entry);
  return out;
}

std::string timeoutsText(const config::Timeouts& timeouts) {
  std::string inner;
  const auto add = [&](const char* key, const std::optional<Millis>& time) {
    if (!time) return;
    inner += (inner.empty() ? "" : ", ") + std::string(key) + ": " + formatDuration(*time);
  };
  add("tcp", timeouts.tcp);
  add("tcp_fin", timeouts.tcpFin);
  add("udp", timeouts.udp);
  return inner.empty() ? "" : "\nipvs:\n  timeouts: { " + inner + " }\n";
}

std::string headText(const std::string& origin) {
  std::string shown;
  for (const char c : origin) shown += c >= ' ' && c <= '~' ? c : '?';
  return "# Made of " + shown +
         ". Read the report, and docs/keepalived.md, before it is used.\n"
         "\n"
         "# Nothing is announced until this is filled in:\n"
         "# bgp:\n"
         "#   local_as: 65001\n"
         "#   router_id: 192.0.2.11\n"
         "#   neighbors:\n"
         "#     - { address: 192.0.2.1, peer_as: 65000 }\n";
}

std::string commented(const std::string& text) {
  std::string out = "#";
  for (const char c : text.substr(0, text.size() - 1)) out += c == '\n' ? "\n#" : std::string(1, c);
  return out + "\n";
}

}  // namespace

std::string nameFrom(const std::string& wanted) {
  std::string name;
  for (const char c : wanted.substr(0, kNameLength)) {
    const bool good =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
    name += good && static_cast<unsigned char>(c) < 0x80 ? c : '-';
  }
  return name.empty() ? "unnamed" : name;
}

std::string SiteDraft::Names::unique(const std::string& wanted) {
  const auto base = nameFrom(wanted);
  auto name = base;
  for (int i = 2; !taken_.insert(name).second; ++i) name = base + "-" + std::to_string(i);
  return name;
}

std::string SiteDraft::addCheck(config::Check check, const std::string& wanted) {
  check.name.clear();
  const auto [known, fresh] = known_.emplace("check" + yamlOf(check), "");
  if (fresh) {
    check.name = known->second = checkNames_.unique(wanted == "none" ? "none-" : wanted);
    checks_.push_back(std::move(check));
  }
  return known->second;
}

std::string SiteDraft::addPool(config::Pool pool, const std::string& wanted) {
  pool.name.clear();
  const auto [known, fresh] = known_.emplace("pool" + yamlOf(pool), "");
  if (fresh) {
    pool.name = known->second = poolNames_.unique(wanted);
    poolAt_[pool.name] = pools_.size();
    pools_.push_back(std::move(pool));
  }
  return known->second;
}

const config::Pool& SiteDraft::pool(const std::string& name) const {
  return pools_[poolAt_.at(name)];
}

std::string SiteDraft::servicesText() {
  std::string out;
  for (const auto& merged : merge(drafts_)) {
    for (const auto& [ports, vips] : byPorts(merged)) {
      for (const auto& somePorts : chunks(ports, config::kMaxPorts)) {
        for (const auto& someVips : chunks(vips, config::kMaxVips)) {
          auto service = merged.first->service;
          service.name = serviceNames_.unique(merged.first->name);
          service.ports = somePorts;
          service.vips = someVips;
          out += yamlOf(service);
        }
      }
    }
  }
  return out.empty() ? "\nservices: {}\n" : "\nservices:\n" + out;
}

// Services that lack what only the firewall's rules know: their addresses.
std::string SiteDraft::marksText(Report& report) {
  std::string out;
  std::map<std::uint32_t, Node*> taken;
  for (const auto& draft : drafts_) {
    for (const auto& [mark, node] : draft.marks) {
      const auto [owner, fresh] = taken.emplace(mark, node);
      if (!fresh) {
        report.add(*node,
                   {Level::lost,
                    "mark " + std::to_string(mark) + " belongs to line " +
                        std::to_string(owner->second->place.line) + " already, and is left out",
                    "decide which one it is"});
        continue;
      }
      report.add(*node, {Level::lost,
                         "which addresses get mark " + std::to_string(mark) +
                             " is not said here; its service is a comment in the "
                             "site file",
                         "write the addresses into its `vips` and take the # away"});
      auto service = draft.service;
      service.mark = mark;
      service.name = serviceNames_.unique(draft.name + "-mark-" + std::to_string(mark));
      out += "# Line " + std::to_string(node->place.line) + ":\n" + commented(yamlOf(service));
    }
  }
  return out.empty() ? "" : "\n# Services by firewall mark, for you to fill in:\n" + out;
}

std::string SiteDraft::text(const std::string& origin, Report& report) {
  settle(drafts_, report);
  auto services = servicesText();
  return headText(origin) + timeoutsText(timeouts) + sectionText("checks", checks_) +
         sectionText("pools", pools_) + services + marksText(report);
}

}  // namespace l4ward::keepalived
