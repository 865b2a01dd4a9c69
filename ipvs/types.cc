#include "ipvs/types.h"

#include <utility>

namespace l4ward::ipvs {
namespace {

std::string flagNames(std::uint32_t flags) {
  static constexpr std::pair<std::uint32_t, std::string_view> kNames[] = {
      {kFlagMhFallback, "mh-fallback"}, {kFlagMhPort, "mh-port"}};
  std::string names;
  for (const auto& [bit, name] : kNames) {
    if (!(flags & bit)) continue;
    names.append(names.empty() ? "" : ",").append(name);
    flags &= ~bit;
  }
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

std::string ServiceKey::str() const {
  return std::string(toString(protocol)) + " " + vip.str();
}

std::string ServiceConfig::str() const {
  std::string text = "scheduler " + scheduler;
  if (flags != 0) text += " flags " + flagNames(flags);
  if (timeout != 0) text += " timeout " + std::to_string(timeout) + "s";
  return text;
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
