// site.yaml as values: what an operator asks for, validated, with every default filled in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "healthcheck/job.h"

namespace l4ward::config {

// How a check is made of the values below and of a server's address: agent/model.h.
struct Check {
  std::string name;
  healthcheck::How how;
  std::optional<std::uint16_t> port;    // default: the service's port
  std::optional<healthcheck::Tls> tls;  // for how: tcp, http, dns over TCP, grpc
  bool viaTunnel = false;               // to the VIP, on the way of clients' packets
  bool fullSize = false;                // only with viaTunnel and http
  Millis interval{2000};
  Millis fastInterval{500};   // while a change is pending; never above interval
  Millis downInterval{2000};  // while down
  Millis timeout{1000};       // for the whole probe
  unsigned rise = 2;          // 1..100, as is fall
  unsigned fall = 3;
  std::vector<IpAddress> source;  // at most one a family; default: the kernel's choice

  bool operator==(const Check&) const = default;
};

enum class Forward { tunnel, direct, masquerade };
enum class TunnelType { ipip, gue, gre };

struct Tunnel {
  TunnelType type = TunnelType::ipip;
  std::uint16_t port = 0;       // gue only
  bool checksum = false;        // gue and gre
  bool remoteChecksum = false;  // gue only
  bool operator==(const Tunnel&) const = default;
};

// Connections at which a server gets no new ones, and below which it gets them again. 0: no limit;
// three quarters of upper. lower <= upper.
struct Thresholds {
  std::uint32_t upper = 0;
  std::uint32_t lower = 0;
  bool operator==(const Thresholds&) const = default;
};

struct Server {
  std::string name;
  std::vector<IpAddress> addresses;  // one or two, at most one a family
  unsigned weight = 1;               // 1..65535
  Thresholds thresholds = {};        // its own, or the pool's
  bool operator==(const Server&) const = default;
};

struct Pool {
  std::string name;
  Forward forward = Forward::tunnel;
  Tunnel tunnel;
  std::uint16_t serverPort = 0;  // masquerade only: where servers listen; 0: the client's port
  // All must pass. Empty: `check: none`, servers are always taken as up.
  std::vector<std::string> checks;
  Millis warmUp{0};           // from up to the first new connection
  bool agentWeights = false;  // an agent's percentages change weights
  std::vector<Server> servers;
  // Where the servers stand instead: a file, or a directory of them, as the site file has it.
  // `servers` is what was read.
  std::string serversFrom;
  unsigned serversFromMin = 1;  // 0..4093: fewer servers there are a mistake

  bool operator==(const Pool&) const = default;
};

enum class Protocol { tcp, udp, sctp };

// What must be up for a service to serve. Lost below `value`, regained at `value` + `hysteresis`.
struct Quorum {
  enum class Unit { servers, percent, weight };  // percent: of the pool's weight
  unsigned value = 1;                            // >= 1; percent: 1..100
  Unit unit = Unit::servers;
  unsigned hysteresis = 0;  // in the same unit; value + hysteresis can be reached
  bool operator==(const Quorum&) const = default;
};

// What routes to a service's virtual IPs do when it has lost its quorum.
enum class BelowQuorum { withdraw, depreference, keep };

// A route's attributes as far as somebody says something about them. A neighbor's word goes before
// that of all, a service's before the neighbor's; communities add up.
struct RouteAttributes {
  std::optional<std::uint32_t> med;
  std::optional<std::uint32_t> localPreference;
  std::optional<unsigned> prepend;            // 0..16: the own AS that many times more
  std::vector<std::string> communities;       // as bgp::Attributes has them; names are numbers
  std::vector<std::string> largeCommunities;  // by now
  std::vector<std::string> extendedCommunities;
  bool operator==(const RouteAttributes&) const = default;
};

// Connections of one client go to one server for a while.
struct Persistence {
  Millis timeout{300000};  // whole seconds, 1s..31 days
  unsigned prefix4 = 32;   // 1..32: clients with this many leading bits in common count as one
  unsigned prefix6 = 128;  // 1..128
  std::string engine;      // "sip" or none
  bool operator==(const Persistence&) const = default;
};

struct Service {
  std::string name;
  std::vector<Prefix> vips;          // addresses (/32, /128) and ranges; none overlap
  std::vector<std::uint16_t> ports;  // {0}: all of them
  Protocol protocol = Protocol::tcp;
  // One IPVS service for each family instead of one for each address and port: it takes the packets
  // that the firewall gave this mark.
  std::optional<std::uint32_t> mark;  // 1..4294967295
  std::string pool;
  std::string scheduler = "mh";
  // Sorted. mh: {"mh-fallback", "mh-port"} by default; sh: "sh-fallback", "sh-port"; all others:
  // "flag-1" to "flag-3".
  std::vector<std::string> schedulerFlags;
  std::optional<Persistence> persistence;
  bool onePacket = false;  // udp only
  Quorum quorum;
  BelowQuorum belowQuorum = BelowQuorum::withdraw;
  // Below this share of the pool's servers, in per cent, checks are no longer believed and all
  // servers are used. 0: never.
  unsigned panicThreshold = 0;  // 0..100
  std::string backupPool;       // takes over while the quorum is lost; empty: none
  RouteAttributes routes;

  bool operator==(const Service&) const = default;
};

struct Neighbor {
  IpAddress address;
  std::uint32_t peerAs = 0;
  IpAddress localAddress;  // IPv4 default: router_id; IPv6: must be given
  Millis holdTime{9000};   // whole seconds, 3s..65535s
  std::string passwordFile;
  IpAddress nextHop;         // default: localAddress
  unsigned multihop = 0;     // 2..255 hops; 0: one
  unsigned ttlSecurity = 0;  // 1..254 hops; 0: off. Not with multihop, nor passive IPv6
  bool passive = false;
  std::uint16_t port = 179;
  std::optional<std::set<std::string>> services;  // that it is told of; absent: all
  RouteAttributes routes;
  bool operator==(const Neighbor&) const = default;
};

enum class ExabgpMode { managed, external };

// A virtual IP that comes and goes too often is held down: after `changes` withdrawals within
// `within`, for `holdDown`, twice as long each time, at most `max`.
struct Damping {
  unsigned changes = 0;    // 2..100; 0: no damping
  Millis within{60000};    // 1s..1h; as long without a withdrawal, and all is forgotten
  Millis holdDown{10000};  // 1s..1h
  Millis max{300000};      // holdDown..24h
  bool operator==(const Damping&) const = default;
};

struct Bgp {
  std::uint32_t localAs = 0;
  IpAddress routerId;
  std::vector<Neighbor> neighbors;
  RouteAttributes routes;
  // Over the others: of a service below its quorum, and of a node that is about to stop.
  RouteAttributes depreference{4294967294, 0, 3, {}, {}, {}};
  RouteAttributes draining{std::nullopt, 0, std::nullopt, {"65535:0"}, {}, {}};  // RFC 8326
  Millis hold{30000};       // how long routes outlive the agent
  Millis minHold{0};        // how long a virtual IP must have been fit before it is announced
  Millis announceDelay{0};  // after a start that finds nothing announced: this, to twice as long
  Damping damping;
  ExabgpMode exabgp = ExabgpMode::managed;

  bool operator==(const Bgp&) const = default;
};

// The kernel's idle times of connections, for all services of the network namespace. Whole seconds,
// 1s..31 days; absent: as the kernel has it.
struct Timeouts {
  std::optional<Millis> tcp;
  std::optional<Millis> tcpFin;
  std::optional<Millis> udp;
  bool operator==(const Timeouts&) const = default;
};

// A kernel thread that sends this node's connections to the others, or takes theirs.
struct SyncDaemon {
  std::string interface;
  unsigned id = 0;                 // 0..255: nodes with equal ids share; a backup of 0 takes all
  std::optional<IpAddress> group;  // multicast; default 224.0.0.81
  std::uint16_t port = 8848;
  unsigned ttl = 1;  // 1..255
  // Bytes of a message's payload: 1 (backup: 1024) to 65507 (IPv6 group: 65487), the kernel's
  // limits. 0: the kernel's choice, 1500 bytes with the headers (backup: the interface's MTU, if
  // more).
  unsigned maxLength = 0;
  bool operator==(const SyncDaemon&) const = default;
};

struct Ipvs {
  Timeouts timeouts;
  std::optional<SyncDaemon> syncMaster;
  std::optional<SyncDaemon> syncBackup;
  Millis driftPeriod{30000};  // 1s..1h: how often the kernel is looked at for others' changes
  bool operator==(const Ipvs&) const = default;
};

enum class OnStop { withdraw, hold };

struct Shutdown {
  // hold: routes and IPVS are left as they are, for the agent that takes over within bgp.hold.
  OnStop onStop = OnStop::withdraw;
  Millis graceful{0};  // announced with Bgp::draining before the withdrawal
  Millis drain{5000};  // between the withdrawal's acknowledgement and the exit
  bool operator==(const Shutdown&) const = default;
};

// What checks through the tunnel need (docs/health-checks.md).
struct DataPath {
  std::uint32_t firstMark = 0x7f000000;  // packet marks that l4ward has for itself, inclusive
  std::uint32_t lastMark = 0x7f00ffff;
  std::vector<std::string> uplinks;  // interfaces where answers come in
  bool operator==(const DataPath&) const = default;
};

// What people and other programs use to look at this node and to tell it things.
struct Control {
  // Metrics, status page, answers for other tiers; nothing: not served.
  std::optional<Endpoint> http = Endpoint{*IpAddress::parse("127.0.0.1"), 9119};
  // A directory of files that each are an override (docs/overrides.md); empty: none.
  std::string overrides = "/etc/l4ward/overrides";
  std::string gdnsdExtfile;  // kept up to date for gdnsd's plugin of that name; empty: none
  bool operator==(const Control&) const = default;
};

// Which of the services of a virtual IP must serve for it to be announced.
enum class AnnounceWhen { all, any };

struct Site {
  std::string node;
  std::string interface = "lo";
  std::optional<Bgp> bgp;  // absent: nothing is announced
  std::map<std::string, Check> checks;
  std::map<std::string, Pool> pools;
  std::map<std::string, Service> services;
  std::map<Prefix, AnnounceWhen> announceWhen;  // of virtual IPs of the services; others: all
  // "net.ipv4.vs.sloppy_tcp" -> "1"; the defaults with the file's own over them.
  std::map<std::string, std::string> sysctls;
  Ipvs ipvs;
  // How long a server or service that the file dropped may finish its connections.
  Millis drainLimit{300000};
  // After this long without a verdict a server counts as checked, so that announcing can go on.
  Millis announceDeadline{30000};
  Shutdown shutdown;
  // When every check fails at once, that may be this node: its VIPs are withdrawn and IPVS is left
  // as it was. Else the checks are believed.
  bool suspectNode = true;
  DataPath dataPath;
  Control control;

  bool operator==(const Site&) const = default;
};

}  // namespace l4ward::config
