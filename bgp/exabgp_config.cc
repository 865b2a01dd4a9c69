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

std::map<std::string, std::string> exabgpEnvironment(const std::string& user) {
  return {
      {"exabgp_daemon_user", user}, {"exabgp_daemon_daemonize", "false"},
      {"exabgp_api_ack", "true"},   {"exabgp_api_cli", "false"},
      {"exabgp_tcp_bind", ""},      {"exabgp_log_destination", "stdout"},
      {"exabgp_log_level", "CRIT"},  // INFO logs every route
  };
}

}  // namespace l4ward::bgp
