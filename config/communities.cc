#include "config/communities.h"

#include <algorithm>
#include <utility>

#include "base/ip.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

constexpr std::uint32_t kMax16 = 65535;

constexpr std::pair<const char*, const char*> kWellKnown[] = {
    {"graceful-shutdown", "65535:0"},        // RFC 8326
    {"accept-own", "65535:1"},               // RFC 7611
    {"blackhole", "65535:666"},              // RFC 7999
    {"no-export", "65535:65281"},            // RFC 1997, as are the next two
    {"no-advertise", "65535:65282"},         //
    {"no-export-subconfed", "65535:65283"},  //
    {"no-peer", "65535:65284"},              // RFC 3765
};

std::vector<std::string_view> parts(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto colon = text.find(':');
    parts.push_back(text.substr(0, colon));
    if (colon == text.npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

bool isNumber(std::string_view text, std::uint32_t max) {
  const auto number = parsePlainNumber(text);
  return number && *number <= max;
}

bool areNumbers(const std::vector<std::string_view>& texts, std::uint32_t max) {
  return std::all_of(texts.begin(), texts.end(),
                     [&](std::string_view text) { return isNumber(text, max); });
}

bool isIpv4(std::string_view text) {
  const auto address = IpAddress::parse(text);
  return address && address->isV4();
}

}  // namespace

std::optional<std::string> parseCommunity(std::string_view text) {
  for (const auto& [name, number] : kWellKnown) {
    if (text == name) return number;
  }
  const auto halves = parts(text);
  if (halves.size() != 2 || !areNumbers(halves, kMax16)) return std::nullopt;
  return std::string(text);
}

const std::vector<std::string>& communityNames() {
  static const auto names = [] {
    std::vector<std::string> all;
    for (const auto& [name, number] : kWellKnown) all.emplace_back(name);
    return all;
  }();
  return names;
}

std::optional<std::string> parseLargeCommunity(std::string_view text) {
  const auto thirds = parts(text);
  if (thirds.size() != 3 || !areNumbers(thirds, UINT32_MAX)) return std::nullopt;
  return std::string(text);
}

std::optional<std::string> parseExtendedCommunity(std::string_view text) {
  const auto all = parts(text);
  if (all.size() != 3 || (all[0] != "target" && all[0] != "origin")) return std::nullopt;
  const bool shortAs = isNumber(all[1], kMax16);
  if (!shortAs && !isNumber(all[1], UINT32_MAX) && !isIpv4(all[1])) return std::nullopt;
  if (!isNumber(all[2], shortAs ? UINT32_MAX : kMax16)) return std::nullopt;
  return std::string(text);
}

}  // namespace l4ward::config
