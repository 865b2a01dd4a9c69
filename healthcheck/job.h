// What to probe and how often. Values only; the site file's reader fills them in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"

namespace l4ward::healthcheck {

// What must stand in the first maxMatchedBytes of an answer.
struct Expectation {
  std::string text;
  bool isPattern = false;  // a regular expression (RE2), else the text itself
  bool operator==(const Expectation&) const = default;
};
inline constexpr std::size_t maxMatchedBytes = std::size_t{64} * 1024;

struct StatusRange {
  unsigned first = 200;
  unsigned last = 200;
  bool operator==(const StatusRange&) const = default;
};

// Without `send` and `expect` a connection is enough.
struct TcpProbe {
  std::string send = {};
  std::optional<Expectation> expect = {};
  bool operator==(const TcpProbe&) const = default;
};

struct HttpProbe {
  std::string method = "GET";
  std::string path = "/";
  std::string host = {};  // empty: the target's address
  // Beside Host, User-Agent, Connection.
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool http10 = false;  // HTTP/1.0, else 1.1
  std::vector<StatusRange> pass{{200, 200}};
  std::vector<StatusRange> drain = {};
  std::optional<Expectation> body = {};
  bool operator==(const HttpProbe&) const = default;
};

enum class DnsType : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  ptr = 12,
  mx = 15,
  txt = 16,
  aaaa = 28,
  srv = 33
};

struct DnsProbe {
  std::string name;  // without the dot at the end; "" is the root
  DnsType type = DnsType::a;
  // Each must be among the answer's records, in their usual text ("192.0.2.1", "10 mx1.example").
  // Empty: any answer without error and with at least one record of the type.
  std::vector<std::string> answers;
  bool overTcp = false;
  bool operator==(const DnsProbe&) const = default;
};

// Without `expect` any answer will do.
struct UdpProbe {
  std::string send;
  std::optional<Expectation> expect;
  bool operator==(const UdpProbe&) const = default;
};

struct IcmpProbe {
  bool operator==(const IcmpProbe&) const = default;
};

// grpc.health.v1.Health/Check
struct GrpcProbe {
  std::string service;    // empty: the server as a whole
  std::string authority;  // empty: the target's address and port
  bool operator==(const GrpcProbe&) const = default;
};

// Exit status 0 up, 1 down, 2 drain; anything else is an error of the program.
struct ExecProbe {
  std::vector<std::string> command;  // a path and its arguments; no shell
  std::string user;                  // empty: the agent's own
  bool operator==(const ExecProbe&) const = default;
};

// The first word of a file: up, drain or down. A file that is not there says nothing: up.
struct FileProbe {
  std::string path;
  bool operator==(const FileProbe&) const = default;
};

// HAProxy's agent-check protocol. An agent that cannot be reached says nothing.
struct AgentProbe {
  std::string send;
  bool operator==(const AgentProbe&) const = default;
};

using How = std::variant<TcpProbe, HttpProbe, DnsProbe, UdpProbe, IcmpProbe, GrpcProbe, ExecProbe,
                         FileProbe, AgentProbe>;

struct Tls {
  std::string serverName;  // SNI, and what the certificate must be for; empty: the target's address
  bool verify = true;
  std::string caFile;       // PEM; empty: the system's
  std::string certificate;  // PEM, as is key; empty: none
  std::string key;
  bool tls13 = false;             // TLS 1.3 at least, else 1.2
  std::vector<std::string> alpn;  // in order of preference
  unsigned warnDays = 14;         // before a certificate expires; 0: never
  bool operator==(const Tls&) const = default;
};

// The way of clients' packets: to the virtual IP, through the tunnel, to this server alone.
struct DataPath {
  Endpoint vip;            // where the probe is sent to; the target is where it arrives
  std::uint32_t mark = 0;  // SO_MARK; an IPVS service of this mark has the target as only server
  bool fullSize = false;   // HTTP only: the request fills a packet of the path's MTU
  bool operator==(const DataPath&) const = default;
};

// One probe, as it is made; two that are equal need only be made once.
struct Probe {
  Endpoint target;
  std::optional<IpAddress> source;  // of the target's family, with `dataPath` of the VIP's
  Millis timeout{1000};             // for the whole probe
  How how;
  std::optional<Tls> tls;  // only for tcp, http, dns over TCP, grpc and agent
  std::optional<DataPath> dataPath;
  bool operator==(const Probe&) const = default;
};

struct Job {
  std::uint64_t id = 0;
  Probe probe;
  Millis interval{2000};      // between starts
  Millis fastInterval{500};   // the same while pending
  Millis downInterval{2000};  // the same while down
  // An outcome that says what so many before it said is not told: it would change nothing. 0: all
  // are told.
  unsigned quietAfter = 0;
  bool operator==(const Job&) const = default;
};

// A text that two probes have in common only if they are equal.
std::string fingerprint(const Probe& probe);

}  // namespace l4ward::healthcheck
