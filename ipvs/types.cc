#include "ipvs/types.h"

#include <array>
#include <charconv>
#include <utility>

namespace l4ward::ipvs {
namespace {

constexpr std::string_view kMarkWord = "mark ";

// As ipvsadm names them.
std::string flagNames(std::string_view scheduler, std::uint32_t flags) {
  std::string names;
  const auto name = [&](std::uint32_t bit, std::string_view text) {
    if (!(flags & bit)) return;
    names.append(names.empty() ? "" : ",").append(text);
    flags &= ~bit;
  };
  if (scheduler == "mh") {
    name(kFlagMhFallback, "mh-fallback");
    name(kFlagMhPort, "mh-port");
  } else if (scheduler == "sh") {
    name(kFlagSched1, "sh-fallback");
    name(kFlagSched2, "sh-port");
  }
  name(kFlagSched1, "flag-1");
  name(kFlagSched2, "flag-2");
  name(kFlagSched3, "flag-3");
  if (flags != 0) names.append(names.empty() ? "" : ",").append(std::to_string(flags));
  return names;
}

}  // namespace

std::string_view toString(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp:
      return "tcp";
    case Protocol::udp:
      return "udp";
    case Protocol::sctp:
      return "sctp";
  }
  return "unknown";
}

std::optional<Protocol> parseProtocol(std::string_view text) {
  for (const auto protocol : {Protocol::tcp, Protocol::udp, Protocol::sctp}) {
    if (text == toString(protocol)) return protocol;
  }
  return std::nullopt;
}

std::string_view toString(Forward forward) {
  switch (forward) {
    case Forward::masquerade:
      return "masquerade";
    case Forward::local:
      return "local";
    case Forward::tunnel:
      return "tunnel";
    case Forward::direct:
      return "direct";
  }
  return "unknown";
}

std::string_view toString(TunnelType type) {
  switch (type) {
    case TunnelType::ipip:
      return "ipip";
    case TunnelType::gue:
      return "gue";
    case TunnelType::gre:
      return "gre";
  }
  return "unknown";
}

ServiceKey ServiceKey::ofMark(std::uint32_t mark, Family family) {
  static const IpAddress kAnyV6 = *IpAddress::fromBytes(std::array<std::uint8_t, 16>{});
  return {Protocol::tcp, {family == Family::v4 ? IpAddress() : kAnyV6, 0}, mark};
}

std::string ServiceKey::str() const {
  if (isMark()) {
    return std::string(kMarkWord) + std::to_string(mark) + " " + std::string(toString(family()));
  }
  return std::string(toString(protocol)) + " " + vip.str();
}

Result<ServiceKey> ServiceKey::parse(std::string_view text) {
  const auto wrong = [&] { return fail("'" + std::string(text) + "' is not an IPVS service"); };
  if (text.starts_with(kMarkWord)) {
    const auto rest = text.substr(kMarkWord.size());
    std::uint32_t mark = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), mark);
    if (error != std::errc() || mark == 0) return wrong();
    for (const auto family : {Family::v4, Family::v6}) {
      const auto key = ofMark(mark, family);
      if (key.str() == text) return key;
    }
    return wrong();
  }
  const auto blank = text.find(' ');
  const auto protocol = parseProtocol(text.substr(0, blank));
  if (!protocol || blank == text.npos) return wrong();
  const auto vip = Endpoint::parse(text.substr(blank + 1));
  return vip ? Result<ServiceKey>(ServiceKey{*protocol, *vip}) : wrong();
}

std::string ServiceConfig::str() const {
  std::string text = "scheduler " + scheduler;
  const auto scheduling = flags & ~(kFlagPersistent | kFlagOnePacket);
  if (scheduling != 0 && scheduler != "none") text += " flags " + flagNames(scheduler, scheduling);
  if (flags & kFlagOnePacket) text += " one-packet";
  if (!(flags & kFlagPersistent)) return text;
  text += " persistent " + std::to_string(timeout) + "s";
  if (granularity == kNoPrefix) text += " odd mask";
  if (granularity < kNoPrefix) text += " /" + std::to_string(granularity);
  if (!engine.empty()) text += " engine " + engine;
  return text;
}

std::string Thresholds::str() const {
  if (*this == Thresholds{}) return {};
  return " thresholds " + std::to_string(lower) + "-" + std::to_string(upper);
}

std::string Path::str() const {
  std::string text(toString(forward));
  if (forward != Forward::tunnel) return text;
  text.append(" ").append(toString(tunnel.type));
  if (tunnel.port != 0) text += " port " + std::to_string(tunnel.port);
  if (tunnel.flags & kTunnelChecksum) text += " checksum";
  if (tunnel.flags & kTunnelRemoteChecksum) text += " remote-checksum";
  return text;
}

}  // namespace l4ward::ipvs
