#include "bgp/exabgp_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

namespace l4ward::bgp {
namespace {

using Json = nlohmann::json;

bool isLarge(const std::string& community) {
  return std::count(community.begin(), community.end(), ':') == 2;
}

void appendList(std::string& line, std::string_view name, const std::vector<std::string>& all,
                bool large) {
  std::string list;
  for (const std::string& one : all) {
    if (isLarge(one) != large) continue;
    if (!list.empty()) list += ' ';
    list += one;
  }
  if (!list.empty()) line.append(" ").append(name).append(" [").append(list).append("]");
}

std::string routeLine(std::string_view verb, const RouteKey& key, const Attributes& attributes) {
  std::string line = "neighbor " + key.neighbor.str() + " " + std::string(verb) + " route " +
                     key.prefix.str() + " next-hop " + attributes.nextHop.str();
  if (attributes.med) line += " med " + std::to_string(*attributes.med);
  appendList(line, "community", attributes.communities, false);
  appendList(line, "large-community", attributes.communities, true);
  return line;
}

std::string stringAt(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Reply parseEvent(std::string_view line) {
  const Json event = Json::parse(line, nullptr, false);
  if (!event.is_object()) return {};
  const std::string answer = stringAt(event, "answer");
  if (answer == "done") return {Reply::Kind::done, {}, {}, {}};
  if (answer == "error") return {Reply::Kind::error, {}, {}, {}};
  if (stringAt(event, "notification") == "shutdown") return {Reply::Kind::shutdown, {}, {}, {}};
  if (stringAt(event, "type") != "state") return {};
  const auto neighbor = event.find("neighbor");
  if (neighbor == event.end() || !neighbor->is_object()) return {};
  const auto address = neighbor->find("address");
  if (address == neighbor->end() || !address->is_object()) return {};
  const auto peer = IpAddress::parse(stringAt(*address, "peer"));
  const std::string state = stringAt(*neighbor, "state");
  if (!peer || (state != "up" && state != "down" && state != "connected")) return {};
  return {Reply::Kind::session, *peer, state, stringAt(*neighbor, "reason")};
}

// "192.0.2.1       65000     0:00:12 established           1          0"
Reply parseSummarySession(std::string_view line) {
  std::istringstream words{std::string(line)};
  std::string address, word;
  words >> address;
  const auto peer = IpAddress::parse(address);
  if (!peer) return {};
  while (words >> word) {
    if (word == "established") return {Reply::Kind::summarySession, *peer, "up", {}};
  }
  return {};
}

}  // namespace

bool isCommunity(std::string_view text) {
  if (text.empty() || text.size() > 40) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == ':' || c == '-' || c == '_';
  });
}

std::string announceLine(const RouteKey& key, const Attributes& attributes) {
  return routeLine("announce", key, attributes);
}

std::string withdrawLine(const RouteKey& key, const Attributes& attributes) {
  return routeLine("withdraw", key, attributes);
}

std::string endOfRibLine(const IpAddress& neighbor) {
  const std::string_view family = neighbor.isV4() ? "ipv4" : "ipv6";
  return "neighbor " + neighbor.str() + " announce eor " + std::string(family) + " unicast";
}

Reply parseReply(std::string_view line) {
  if (line == "done") return {Reply::Kind::done, {}, {}, {}};
  if (line == "error") return {Reply::Kind::error, {}, {}, {}};
  if (line == "shutdown") return {Reply::Kind::shutdown, {}, {}, {}};
  if (line.starts_with('{')) return parseEvent(line);
  if (line.starts_with("Peer ") && line.find("#sent") != std::string_view::npos) {
    return {Reply::Kind::summaryHeader, {}, {}, {}};
  }
  return parseSummarySession(line);
}

}  // namespace l4ward::bgp
