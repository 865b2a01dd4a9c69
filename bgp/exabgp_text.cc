#include "bgp/exabgp_text.h"

#include <charconv>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

namespace l4ward::bgp {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMax16 = 0xffff;
constexpr std::uint64_t kMax32 = 0xffffffff;

// "1:22:333": as many numbers as there are limits, each of digits only and within its own.
std::optional<std::vector<std::uint64_t>> numbers(std::string_view text,
                                                  std::initializer_list<std::uint64_t> limits) {
  std::vector<std::uint64_t> all;
  for (const std::uint64_t limit : limits) {
    if (!all.empty()) {
      if (!text.starts_with(':')) return std::nullopt;
      text.remove_prefix(1);
    }
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number > limit) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    all.push_back(number);
  }
  return text.empty() ? std::optional(all) : std::nullopt;
}

std::string hex(std::uint64_t number, int digits) {
  std::string text(static_cast<std::size_t>(digits), '0');
  for (auto at = text.rbegin(); at != text.rend(); ++at, number >>= 4) {
    *at = "0123456789abcdef"[number & 15];
  }
  return text;
}

// The eight bytes of "target:65001:80" or "origin:65001:80" (RFC 4360, 5668), which is what 4.2 and
// 5 both take: of the text each gets some types wrong.
std::optional<std::string> extendedCommunityBytes(std::string_view text) {
  const bool isTarget = text.starts_with("target:");
  if (!isTarget && !text.starts_with("origin:")) return std::nullopt;
  text.remove_prefix(7);
  const std::string subtype = isTarget ? "02" : "03";
  if (const auto two = numbers(text, {kMax16, kMax32})) {
    return "0x00" + subtype + hex((*two)[0], 4) + hex((*two)[1], 8);
  }
  const auto colon = text.rfind(':');
  if (const auto address = IpAddress::parse(text.substr(0, colon));
      colon != text.npos && address && address->isV4()) {
    const auto last = numbers(text.substr(colon + 1), {kMax16});
    if (!last) return std::nullopt;
    std::string bytes;
    for (const std::uint8_t byte : address->bytes()) bytes += hex(byte, 2);
    return "0x01" + subtype + bytes + hex(last->front(), 4);
  }
  if (const auto four = numbers(text, {kMax32, kMax16})) {
    return "0x02" + subtype + hex((*four)[0], 8) + hex((*four)[1], 4);
  }
  return std::nullopt;
}

void appendList(std::string& line, std::string_view name, const auto& all, const auto& toText) {
  if (all.empty()) return;
  line.append(" ").append(name).append(" [");
  std::string_view gap;
  for (const auto& one : all) line.append(std::exchange(gap, " ")).append(toText(one));
  line += ']';
}

std::string attributesText(const Attributes& attributes) {
  const auto same = [](const std::string& text) { return text; };
  std::string text = " next-hop " + attributes.nextHop.str();
  if (attributes.med) text += " med " + std::to_string(*attributes.med);
  if (attributes.localPreference) {
    text += " local-preference " + std::to_string(*attributes.localPreference);
  }
  appendList(text, "as-path", attributes.asPath,
             [](std::uint32_t as) { return std::to_string(as); });
  appendList(text, "community", attributes.communities, same);
  appendList(text, "large-community", attributes.largeCommunities, same);
  appendList(text, "extended-community", attributes.extendedCommunities,
             [](const std::string& one) { return extendedCommunityBytes(one).value_or(""); });
  return text;
}

std::string verbText(const IpAddress& neighbor, bool announce) {
  return "neighbor " + neighbor.str() + (announce ? " announce" : " withdraw");
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
  return numbers(text, {kMax16, kMax16}).has_value();
}

bool isLargeCommunity(std::string_view text) {
  return numbers(text, {kMax32, kMax32, kMax32}).has_value();
}

bool isExtendedCommunity(std::string_view text) {
  return extendedCommunityBytes(text).has_value();
}

std::string routeLine(bool announce, const RouteKey& key, const Attributes& attributes) {
  return verbText(key.neighbor, announce) + " route " + key.prefix.str() +
         attributesText(attributes);
}

std::string routesLineHead(bool announce, const IpAddress& neighbor, const Attributes& attributes) {
  return verbText(neighbor, announce) + " attributes" + attributesText(attributes) + " nlri";
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
