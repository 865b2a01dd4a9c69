#include "bgp/exabgp_config.h"

#include <algorithm>

namespace l4ward::bgp {
namespace {

// 4.2 takes escapes away before it looks for quotes, so a quote cannot be written at all, and a
// backslash is written twice.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

long long wholeSeconds(Millis duration) {
  return std::chrono::ceil<std::chrono::seconds>(duration).count();
}

// ExaBGP never looks at the TTL of what comes, so this lets the peer check ours and no more. What a
// listening socket sends is set by the incoming one.
std::string ttlText(const ExabgpNeighbor& neighbor) {
  if (neighbor.ttlSecurity > 0) {
    return neighbor.passive ? "    incoming-ttl 255;\n" : "    outgoing-ttl 255;\n";
  }
  if (neighbor.multihop == 0 || neighbor.passive) return "";  // the system's is 64
  return "    outgoing-ttl " + std::to_string(neighbor.multihop) + ";\n";
}

std::string portText(const ExabgpNeighbor& neighbor) {
  const std::string port = std::to_string(neighbor.port);
  if (neighbor.passive) return "    passive true;\n    listen " + port + ";\n";
  return neighbor.port == 179 ? "" : "    connect " + port + ";\n";
}

std::string neighborText(const ExabgpConfig& config, const ExabgpNeighbor& neighbor) {
  std::string text = "neighbor " + neighbor.address.str() + " {\n";
  text += "    router-id " + config.routerId.str() + ";\n";  // mandatory for IPv6 sessions
  text += "    local-address " + neighbor.localAddress.str() + ";\n";
  text += "    local-as " + std::to_string(config.localAs) + ";\n";
  text += "    peer-as " + std::to_string(neighbor.peerAs) + ";\n";
  text += "    hold-time " + std::to_string(std::max(3LL, wholeSeconds(neighbor.holdTime))) + ";\n";
  if (!neighbor.password.empty()) {
    text += "    md5-password " + quoted(neighbor.password) + ";\n";
    text += "    md5-base64 false;\n";  // else one of only [a-f0-9] is taken for base64
  }
  text += ttlText(neighbor) + portText(neighbor);
  text += "    manual-eor true;\n";  // the relay says when all routes are there
  text += "    adj-rib-in false;\n";
  text += "    capability {\n        asn4 enable;\n";
  const long long restart = std::min(4095LL, wholeSeconds(config.gracefulRestart));
  if (restart > 0) text += "        graceful-restart " + std::to_string(restart) + ";\n";
  text += "    }\n";
  const std::string family = neighbor.address.isV4() ? "ipv4" : "ipv6";
  text += "    family { " + family + " unicast; }\n";  // two on one session confuse next-hops
  text += "    api { processes [ l4ward ]; neighbor-changes; }\n";
  return text + "}\n";
}

}  // namespace

Status checkExabgpString(std::string_view text) {
  for (const char c : text) {
    if (c < ' ' || c > '~') return fail("only printable ASCII can be written for ExaBGP");
    if (c == '"' || c == '\'') return fail("ExaBGP cannot read quotes inside a string");
  }
  return {};
}

std::string exabgpConfigText(const ExabgpConfig& config) {
  std::string text = "# Written by l4ward; changes are lost.\n";
  text += "process l4ward {\n    run " + quoted(config.relayProgram) + " " +
          quoted(config.relaySocket) + " " + quoted(config.relayState) +
          ";\n    encoder json;\n}\n";
  for (const ExabgpNeighbor& neighbor : config.neighbors) text += neighborText(config, neighbor);
  return text;
}

bool needsRestart(const std::string& before, const std::string& after) {
  const std::string start = "\nneighbor ", end = "\n}\n";
  for (std::size_t at = after.find(start); at != std::string::npos;
       at = after.find(start, at + 1)) {
    const std::string neighbor = after.substr(at, after.find(end, at) + end.size() - at);
    const bool listens = neighbor.find("\n    listen ") != std::string::npos;
    if (listens && before.find(neighbor) == std::string::npos) return true;
  }
  return false;
}

std::map<std::string, std::string> exabgpEnvironment(const std::string& user) {
  return {
      {"exabgp_daemon_user", user},
      {"exabgp_daemon_daemonize", "false"},
      {"exabgp_api_ack", "true"},
      {"exabgp_api_cli", "false"},
      {"exabgp_tcp_bind", ""},
      {"exabgp_log_destination", "stdout"},
      // INFO logs every route, and of CRIT and CRITICAL each version knows one.
      {"exabgp_log_level", "WARNING"},
  };
}

}  // namespace l4ward::bgp
