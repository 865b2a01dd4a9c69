// Which keys belong to which type of check, and the short types. HTTP, DNS, TLS and what an answer
// must hold have files of their own.
#include <algorithm>

#include "config/probes.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

using namespace healthcheck;
using enum CheckType;

constexpr NumberRange kPort{1, 65535};
constexpr SizeRange kCommand{1, 64};
constexpr std::uint16_t kDnsPort = 53;
constexpr std::uint16_t kDnsOverTlsPort = 853;  // RFC 7858

struct Key {
  const char* name;
  std::vector<CheckType> types;
};

const std::vector<Key>& keys() {
  static const std::vector<Key> all{
      {"port", {tcp, http, https, dns, udp, grpc, exec, agent}},
      {"source", {tcp, http, https, dns, udp, icmp, grpc, agent}},
      {"via", {tcp, http, https, dns, udp, grpc}},
      {"full_size", {http, https}},
      {"tls", {tcp, https, dns, grpc}},
      {"send", {tcp, udp, agent}},
      {"expect", {tcp, udp}},
      {"method", {http, https}},
      {"path", {http, https, file}},
      {"host", {http, https}},
      {"headers", {http, https}},
      {"version", {http, https}},
      {"status", {http, https}},
      {"drain_status", {http, https}},
      {"body", {http, https}},
      {"name", {dns}},
      {"query", {dns}},
      {"answers", {dns}},
      {"transport", {dns}},
      {"service", {grpc}},
      {"authority", {grpc}},
      {"command", {exec}},
      {"user", {exec}},
  };
  return all;
}

std::string nameOf(CheckType type) {
  return checkTypes()[static_cast<std::size_t>(type)];
}

bool contains(const std::vector<CheckType>& types, CheckType type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

std::string readSend(const Value& value) {
  const auto text = value.isScalar() ? unescape(value.node().text) : std::nullopt;
  if (text && !text->empty() && text->size() <= kMaxProbeText) return *text;
  value.error("1 to 1024 bytes, with backslashes only as \\r, \\n, \\t, \\\\ or \\xHH");
  return {};
}

std::string readSendOf(const Record& record) {
  const auto send = record.find("send");
  return send ? readSend(*send) : "";
}

std::optional<Expectation> readExpectOf(const Record& record) {
  const auto expect = record.find("expect");
  return expect ? readExpectation(*expect) : std::nullopt;
}

UdpProbe readUdp(const Record& record) {
  const auto send = record.require("send", "what servers answer to");
  return {send ? readSend(*send) : "", readExpectOf(record)};
}

GrpcProbe readGrpc(const Record& record) {
  GrpcProbe probe;
  if (const auto service = record.find("service")) {
    probe.service =
        service->text(isGrpcService, "1 to 255 printable ASCII characters without blanks")
            .value_or("");
  }
  if (const auto authority = record.find("authority")) probe.authority = readHost(*authority);
  return probe;
}

// A wrong path stays, as "", so that the next item is not taken for it.
ExecProbe readExec(const Record& record) {
  ExecProbe probe;
  if (const auto command = record.require("command", "a list: a program's path and arguments")) {
    for (const auto& item : command->list(kCommand)) {
      probe.command.push_back(
          probe.command.empty()
              ? readAbsoluteFile(item)
              : item.text(isArgument, "text without a NUL character").value_or(""));
    }
  }
  if (const auto user = record.find("user")) {
    probe.user =
        user->text(isUserName, "the name of a user, 1 to 32 letters, digits, '.', '_' or '-'")
            .value_or("");
  }
  return probe;
}

FileProbe readFile(const Record& record) {
  const auto path = record.require("path", "the file that says up, drain or down");
  return {path ? readAbsoluteFile(*path) : ""};
}

How readHow(const Record& record, CheckType type) {
  switch (type) {
    case tcp:
      return TcpProbe{readSendOf(record), readExpectOf(record)};
    case http:
    case https:
      return readHttp(record);
    case dns:
      return readDns(record);
    case udp:
      return readUdp(record);
    case icmp:
      return IcmpProbe();
    case grpc:
      return readGrpc(record);
    case exec:
      return readExec(record);
    case file:
      return readFile(record);
    case agent:
      break;
  }
  return AgentProbe{readSendOf(record)};
}

void readTlsOf(const Record& record, CheckType type, Check& check) {
  if (type == https) check.tls = Tls();
  const auto tls = record.find("tls");
  if (!tls) return;
  check.tls = readTls(*tls);
  const auto* query = std::get_if<DnsProbe>(&check.how);
  if (query != nullptr && !query->overTcp) {
    tls->error("this key in a check over UDP", "it only with `transport: tcp`");
  }
}

void readPort(const Record& record, CheckType type, Check& check) {
  if (type == dns) check.port = check.tls ? kDnsOverTlsPort : kDnsPort;
  const auto port = type == agent ? record.require("port", "the port where the agents listen")
                                  : record.find("port");
  // A wrong one stays, as 0, so that nobody misses it.
  if (port) check.port = static_cast<std::uint16_t>(port->number(kPort).value_or(0));
}

void readVia(const Record& record, Check& check) {
  check.viaTunnel = record.choice("via", {"direct", "tunnel"}, 0) == 1;
  const auto fullSize = record.find("full_size");
  check.fullSize = fullSize && fullSize->boolean().value_or(false);
  if (check.fullSize && !check.viaTunnel) fullSize->error("it only with `via: tunnel`");
}

std::vector<IpAddress> readSource(const Value& value) {
  std::vector<IpAddress> sources;
  for (const auto& item : value.oneOrList({1, 2})) {
    const auto address = item.address();
    if (!address) continue;
    if (address->isUnspecified() || address->isMulticast()) {
      item.error("an address of this node");
    } else if (!sources.empty() && sources[0].family() == address->family()) {
      item.error("a second " + std::string(toString(address->family())) + " address",
                 "one a family");
    } else {
      sources.push_back(*address);
    }
  }
  return sources;
}

}  // namespace

const std::vector<std::string>& checkTypes() {
  static const std::vector<std::string> names{"tcp",  "http", "https", "dns",  "udp",
                                              "icmp", "grpc", "exec",  "file", "agent"};
  return names;
}

std::vector<std::string> keysOfProbes() {
  std::vector<std::string> names;
  for (const auto& key : keys()) names.emplace_back(key.name);
  return names;
}

void dropForeignKeys(Record& record, CheckType type) {
  for (const auto& key : keys()) {
    const auto value = contains(key.types, type) ? std::nullopt : record.find(key.name);
    if (!value) continue;
    std::vector<std::string> types;
    for (const auto owner : key.types) types.push_back(nameOf(owner));
    value->error("this key in a check of type " + nameOf(type),
                 "it only with type " + alternatives(types));
    record.forget(key.name);
  }
}

void readProbe(const Record& record, CheckType type, Check& check) {
  check.how = readHow(record, type);
  readTlsOf(record, type, check);
  readPort(record, type, check);
  readVia(record, check);
  if (const auto source = record.find("source")) check.source = readSource(*source);
}

std::string readHost(const Value& value) {
  return value.text(isHost, "a host name or address, with a port if need be").value_or("");
}

std::string readAbsoluteFile(const Value& value) {
  return value.text(isAbsoluteFile, "an absolute path without blanks or quotes").value_or("");
}

}  // namespace l4ward::config
