#include "import/yaml.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/clock.h"

namespace l4ward::keepalived {
namespace {

using namespace healthcheck;

std::string line(const std::string& key, const std::string& value) {
  return "    " + key + ": " + value + "\n";
}

// "[a, b]"
template <typename Range, typename Text>
std::string listOf(const Range& range, Text text) {
  std::string out = "[";
  for (const auto& item : range) out += (out.size() > 1 ? ", " : "") + text(item);
  return out + "]";
}

// As config::unescape reads it back.
std::string escapeBytes(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\') {
      out += "\\\\";
    } else if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      out += std::string("\\x") + digits[byte >> 4U] + digits[byte & 15U];
    }
  }
  return out;
}

std::string expectation(const Expectation& expect) {
  return (expect.isPattern ? "{ pattern: " : "{ text: ") + yamlScalar(expect.text) + " }";
}

std::string statusText(const StatusRange& range) {
  const auto first = std::to_string(range.first);
  return range.first == range.last ? first : first + "-" + std::to_string(range.last);
}

std::string keysOf(const TcpProbe& probe) {
  return probe.expect ? line("expect", expectation(*probe.expect)) : "";
}

std::string keysOf(const HttpProbe& probe) {
  std::string out = line("path", yamlScalar(probe.path));
  if (!probe.host.empty()) out += line("host", yamlScalar(probe.host));
  if (probe.http10) out += line("version", "1.0");
  out += line("status", listOf(probe.pass, statusText));
  if (probe.body) out += line("body", expectation(*probe.body));
  return out;
}

std::string keysOf(const DnsProbe& probe) {
  static const std::array<std::pair<DnsType, const char*>, 7> types{{{DnsType::a, "a"},
                                                                     {DnsType::ns, "ns"},
                                                                     {DnsType::cname, "cname"},
                                                                     {DnsType::soa, "soa"},
                                                                     {DnsType::mx, "mx"},
                                                                     {DnsType::txt, "txt"},
                                                                     {DnsType::aaaa, "aaaa"}}};
  const auto type = std::find_if(types.begin(), types.end(),
                                 [&](const auto& entry) { return entry.first == probe.type; });
  return line("name", yamlScalar(probe.name.empty() ? "." : probe.name)) +
         line("query", type->second);
}

std::string keysOf(const UdpProbe& probe) {
  return line("send", yamlScalar(escapeBytes(probe.send))) +
         (probe.expect ? line("expect", expectation(*probe.expect)) : "");
}

std::string keysOf(const ExecProbe& probe) {
  return line("command", listOf(probe.command, yamlScalar)) +
         (probe.user.empty() ? "" : line("user", yamlScalar(probe.user)));
}

template <typename Other>
std::string keysOf(const Other&) {
  return "";
}

const char* typeOf(const config::Check& check) {
  if (std::holds_alternative<HttpProbe>(check.how)) return check.tls ? "https" : "http";
  if (std::holds_alternative<DnsProbe>(check.how)) return "dns";
  if (std::holds_alternative<UdpProbe>(check.how)) return "udp";
  if (std::holds_alternative<IcmpProbe>(check.how)) return "icmp";
  if (std::holds_alternative<ExecProbe>(check.how)) return "exec";
  return "tcp";
}

std::string tlsText(const Tls& tls) {
  std::string out = std::string("{ verify: ") + (tls.verify ? "true" : "false");
  if (!tls.serverName.empty()) out += ", server_name: " + yamlScalar(tls.serverName);
  if (!tls.caFile.empty()) out += ", ca: " + yamlScalar(tls.caFile);
  if (!tls.certificate.empty()) {
    out += ", certificate: " + yamlScalar(tls.certificate) + ", key: " + yamlScalar(tls.key);
  }
  return out + " }";
}

std::string tunnelText(const config::Tunnel& tunnel) {
  if (tunnel.type == config::TunnelType::ipip) return "{ type: ipip }";
  const bool gue = tunnel.type == config::TunnelType::gue;
  std::string out = gue ? "{ type: gue, port: " + std::to_string(tunnel.port) : "{ type: gre";
  if (tunnel.checksum) out += ", checksum: true";
  if (tunnel.remoteChecksum) out += ", remote_checksum: true";
  return out + " }";
}

std::string serverText(const config::Server& server) {
  std::string out = "{ name: " + yamlScalar(server.name) +
                    ", address: " + yamlScalar(server.addresses.front().str());
  if (server.weight != 1) out += ", weight: " + std::to_string(server.weight);
  if (server.thresholds.upper > 0) {
    out += ", thresholds: { upper: " + std::to_string(server.thresholds.upper);
    if (server.thresholds.lower > 0) out += ", lower: " + std::to_string(server.thresholds.lower);
    out += " }";
  }
  return out + " }";
}

std::string persistenceText(const config::Persistence& persistence) {
  std::string out = "{ timeout: " + formatDuration(persistence.timeout);
  if (persistence.prefix4 != 32) out += ", mask: " + std::to_string(persistence.prefix4);
  if (persistence.prefix6 != 128) out += ", mask6: " + std::to_string(persistence.prefix6);
  if (!persistence.engine.empty()) out += ", engine: " + persistence.engine;
  return out + " }";
}

std::string quorumText(const config::Quorum& quorum) {
  std::string out = "{ weight: " + std::to_string(quorum.value);
  if (quorum.hysteresis > 0) out += ", hysteresis: " + std::to_string(quorum.hysteresis);
  return out + " }";
}

bool isAllPorts(const config::Service& service) {
  return service.ports == std::vector<std::uint16_t>{0};
}

}  // namespace

std::string yamlScalar(std::string_view text) {
  const bool plain = !text.empty() && text.front() != '-' &&
                     std::all_of(text.begin(), text.end(), [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '/' || c == '-';
                     });
  if (plain && text != "null" && text != "Null" && text != "NULL") return std::string(text);
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

std::string yamlOf(const config::Check& check) {
  std::string out = "  " + yamlScalar(check.name) + ":\n" + line("type", typeOf(check));
  if (check.port) out += line("port", std::to_string(*check.port));
  out += std::visit([](const auto& probe) { return keysOf(probe); }, check.how);
  if (check.tls) out += line("tls", tlsText(*check.tls));
  if (!check.source.empty()) out += line("source", yamlScalar(check.source.front().str()));
  return out + line("interval", formatDuration(check.interval)) +
         line("fast_interval", formatDuration(check.fastInterval)) +
         line("timeout", formatDuration(check.timeout)) + line("rise", std::to_string(check.rise)) +
         line("fall", std::to_string(check.fall));
}

std::string yamlOf(const config::Pool& pool) {
  std::string out = "  " + yamlScalar(pool.name) + ":\n";
  if (pool.forward == config::Forward::tunnel) {
    out += line("forward", "tunnel") + line("tunnel", tunnelText(pool.tunnel));
  } else {
    out += line("forward", pool.forward == config::Forward::direct ? "direct" : "masquerade");
  }
  if (pool.serverPort != 0) out += line("server_port", std::to_string(pool.serverPort));
  if (pool.checks.size() == 1) {
    out += line("check", yamlScalar(pool.checks.front()));
  } else {
    out += line("check", pool.checks.empty() ? "none" : listOf(pool.checks, yamlScalar));
  }
  out += "    servers:\n";
  for (const auto& server : pool.servers) out += "      - " + serverText(server) + "\n";
  return out;
}

std::string yamlOf(const config::Service& service) {
  static const std::array protocols{"tcp", "udp", "sctp"};
  std::string out = "  " + yamlScalar(service.name) + ":\n";
  out += line("vips",
              listOf(service.vips, [](const Prefix& vip) { return yamlScalar(vip.shortStr()); }));
  if (service.mark) {
    out += line("mark", std::to_string(*service.mark));
  } else if (isAllPorts(service)) {
    out += line("ports", "all");
  } else {
    out += line("ports", listOf(service.ports, [](auto port) { return std::to_string(port); }));
  }
  out += line("protocol", protocols[static_cast<std::size_t>(service.protocol)]);
  out += line("pool", yamlScalar(service.pool)) + line("scheduler", service.scheduler);
  if (service.scheduler == "mh" || !service.schedulerFlags.empty()) {
    out += line("scheduler_flags", listOf(service.schedulerFlags, yamlScalar));
  }
  if (service.persistence) out += line("persistence", persistenceText(*service.persistence));
  if (service.onePacket) out += line("one_packet", "true");
  if (service.quorum != config::Quorum()) out += line("quorum", quorumText(service.quorum));
  if (!service.backupPool.empty()) out += line("backup_pool", yamlScalar(service.backupPool));
  return out;
}

}  // namespace l4ward::keepalived
