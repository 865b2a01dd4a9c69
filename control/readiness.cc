#include "control/readiness.h"

#include <algorithm>
#include <utility>

namespace l4ward::control {
namespace {

std::string sentence(const Override& said) {
  return said.subject.str() + " was " + describe(said);
}

// The stronger one of those that somebody has said of it.
const Override* find(const NodeStatus& status, Subject::Kind kind, const std::string& name) {
  const Override* found = nullptr;
  for (const auto& said : status.overrides) {
    if (said.subject.kind != kind || said.subject.name != name) continue;
    if (found == nullptr || said.action > found->action) found = &said;
  }
  return found;
}

std::optional<Prefix> prefixOf(const std::string& text) {
  if (const auto address = IpAddress::parse(text)) return Prefix::host(*address);
  const auto prefix = Prefix::parse(text);
  return prefix ? std::optional(*prefix) : std::nullopt;
}

// The longest prefix that holds the address.
const Vip* vipOf(const NodeStatus& status, const IpAddress& address) {
  const Vip* found = nullptr;
  int longest = -1;
  for (const auto& vip : status.vips) {
    const auto prefix = prefixOf(vip.prefix);
    if (!prefix || !prefix->contains(address) || prefix->length <= longest) continue;
    found = &vip;
    longest = prefix->length;
  }
  return found;
}

bool serves(const Service& service, const Vip& vip) {
  const auto wanted = prefixOf(vip.prefix);
  return std::find(vip.services.begin(), vip.services.end(), service.name) != vip.services.end() &&
         std::any_of(service.vips.begin(), service.vips.end(),
                     [&](const std::string& text) { return prefixOf(text) == wanted; });
}

std::string overrideOfNode(const NodeStatus& status) {
  const auto* said = find(status, Subject::Kind::node, "");
  return said == nullptr ? "" : sentence(*said);
}

std::string overrideOf(const NodeStatus& status, const Vip& vip) {
  const auto prefix = prefixOf(vip.prefix);
  const Override* said = nullptr;
  if (prefix) said = find(status, Subject::Kind::vip, prefix->shortStr());
  for (const auto& name : vip.services) {
    if (said == nullptr) said = find(status, Subject::Kind::service, name);
  }
  return said == nullptr ? "" : sentence(*said);
}

// What the virtual IP lacks, whatever the node as a whole does.
std::string whyVipLacks(const NodeStatus& status, const Vip& vip) {
  if (auto said = overrideOf(status, vip); !said.empty()) return said;
  bool any = false;
  for (const auto& service : status.services) {
    if (!serves(service, vip)) continue;
    any = true;
    if (!service.programmed) return service.name + ": " + service.key + " is not programmed";
    if (!service.quorum) return service.name + ": " + service.quorumText;
  }
  return any ? "" : "none of its services is programmed";
}

std::string whyNotServing(const NodeStatus& status, const Vip& vip) {
  if (status.node.phase != "running") return "the agent is " + status.node.phase;
  if (auto said = overrideOfNode(status); !said.empty()) return said;
  return whyVipLacks(status, vip);
}

void addRoutes(const NodeStatus& status, std::vector<std::string>& reasons) {
  if (!status.relay.connected) reasons.emplace_back("ExaBGP is not connected");
  if (!status.relay.synced) reasons.emplace_back("ExaBGP has not acknowledged all routes");
  const bool announced = std::any_of(status.vips.begin(), status.vips.end(),
                                     [](const Vip& vip) { return vip.state == "announced"; });
  if (!announced) reasons.emplace_back("no virtual IP is announced");
  const bool heard = std::any_of(status.neighbors.begin(), status.neighbors.end(),
                                 [](const Neighbor& neighbor) { return neighbor.state == "up"; });
  if (!heard) reasons.emplace_back("no BGP session is up");
}

// Without BGP this answer is all that keeps traffic away from a node that cannot serve.
void addServing(const NodeStatus& status, std::vector<std::string>& reasons) {
  std::string why;
  for (const auto& vip : status.vips) {
    const auto lack = whyVipLacks(status, vip);
    if (lack.empty()) return;
    if (why.empty()) why = ": " + lack;
  }
  reasons.push_back("no virtual IP can be served" + why);
}

}  // namespace

std::vector<std::string> whyNotReady(const NodeStatus& status) {
  std::vector<std::string> reasons;
  if (status.node.phase != "running") reasons.push_back("the agent is " + status.node.phase);
  if (!status.node.ready) {
    reasons.emplace_back("IPVS is not programmed, or a server has no verdict yet");
  }
  if (auto said = overrideOfNode(status); !said.empty()) reasons.push_back(std::move(said));
  if (status.relay.configured) {
    addRoutes(status, reasons);
  } else {
    addServing(status, reasons);
  }
  return reasons;
}

std::optional<std::string> whyNotUsable(const NodeStatus& status, const IpAddress& address) {
  const Vip* vip = vipOf(status, address);
  return vip == nullptr ? std::nullopt : std::optional(whyNotUsable(status, *vip));
}

std::string whyNotUsable(const NodeStatus& status, const Vip& vip) {
  if (!status.relay.configured) return whyNotServing(status, vip);
  if (vip.state == "announced") return "";
  const std::string state = vip.state.empty() ? "not announced" : vip.state;
  return vip.because.empty() ? state : state + ": " + vip.because;
}

}  // namespace l4ward::control
