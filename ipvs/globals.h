// What IPVS holds once for a network namespace: the timeouts of connections, and the daemons that
// synchronise connections with other nodes. Values and the plan from one state to another; pure.
// Numbers are the kernel's (include/uapi/linux/ip_vs.h).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "ipvs/kernel.h"

namespace l4ward::ipvs {

// Seconds without a packet after which a connection is forgotten, 1 to kMaxTimeout.
struct Timeouts {
  // What the kernel takes at any of its clock rates (INT_MAX / HZ in ip_vs_set_timeout()).
  static constexpr std::uint32_t kMaxTimeout = 2'147'483;

  std::optional<std::uint32_t> tcp = {};     // established
  std::optional<std::uint32_t> tcpFin = {};  // after a FIN
  std::optional<std::uint32_t> udp = {};

  std::string str() const;  // "tcp 900s tcp-fin 120s udp 300s", without those that are not set
  bool operator==(const Timeouts&) const = default;
};

// The master tells its new and changed connections to a multicast group, the backup takes those
// that it hears. A network namespace has one of each at most, or both.
enum class SyncRole : std::uint8_t { master = 1, backup = 2 };  // IP_VS_STATE_*

std::string_view toString(SyncRole role);  // "master"

struct SyncDaemon {
  SyncRole role = SyncRole::master;
  std::string interface;  // that is multicast on; 1 to 15 characters
  std::uint8_t id = 0;    // a backup takes messages of this id; with 0, of every id
  // Without a value: the kernel's default. In what the kernel is asked for, all have one.
  std::optional<IpAddress> group = {};          // a multicast address; 224.0.0.81
  std::optional<std::uint16_t> port = {};       // UDP, 1 or higher; 8848
  std::optional<std::uint8_t> ttl = {};         // 1 or higher; 1
  std::optional<std::uint16_t> maxLength = {};  // bytes of a message, from 1; from the MTU

  // "sync daemon master on eth0 id 7", then " group 224.0.0.81 port 8848 ttl 1 length 1472" as far
  // as set
  std::string str() const;
  bool operator==(const SyncDaemon&) const = default;
};

// Whether `actual`, as the kernel tells it, is what starting `wanted` gives. An unset group, port
// and ttl are the kernel's defaults; an unset length is any.
bool satisfies(const SyncDaemon& actual, const SyncDaemon& wanted);

// The kernel's state, and what is wanted of it: one daemon of a role at most.
struct Globals {
  Timeouts timeouts = {};  // of the kernel: without a value, it has no such protocol
  std::vector<SyncDaemon> daemons = {};

  const SyncDaemon* daemon(SyncRole role) const;  // nullptr: none
  bool operator==(const Globals&) const = default;
};

struct SetTimeouts {
  Timeouts timeouts;
  bool operator==(const SetTimeouts&) const = default;
};
struct StopDaemon {
  SyncRole role = SyncRole::master;
  bool operator==(const StopDaemon&) const = default;
};
struct StartDaemon {
  SyncDaemon daemon;
  bool operator==(const StartDaemon&) const = default;
};

struct GlobalsOperation {
  std::variant<SetTimeouts, StopDaemon, StartDaemon> what;

  // "set timeouts tcp 900s", "stop sync daemon master", "start sync daemon master on eth0 id 7"
  std::string str() const;
  bool operator==(const GlobalsOperation&) const = default;
};

struct GlobalsPlan {
  std::vector<GlobalsOperation> operations;  // timeouts, stops, starts
  std::vector<Error> problems;               // what is wanted and cannot be had, for people
};

// How to make `wanted` of `actual`. `owned`: roles whose daemon l4ward started.
//  - Timeouts that are not wanted are left alone.
//  - A changed daemon is stopped and started. One that is not wanted is stopped if it is owned.
//  - A daemon that is not owned stays. If it is what is wanted, nothing is missing; otherwise it is
//    a problem.
GlobalsPlan planGlobals(const Globals& actual, const Globals& wanted,
                        const std::set<SyncRole>& owned);

// Which daemons are l4ward's after `operations` were applied to `actual` with `report`. One that is
// gone is nobody's. Where it is unknown whether a daemon was started or stopped, it is l4ward's.
std::set<SyncRole> ownedAfter(const Globals& actual, const std::set<SyncRole>& owned,
                              std::span<const GlobalsOperation> operations,
                              const ApplyReport& report);

// The kernel's side: netlink in the product, a model in tests.
class GlobalsKernel {
 public:
  virtual ~GlobalsKernel() = default;

  virtual Result<Globals> dump() = 0;

  // Applies in order; goes on behind a failed operation. Blocks at most a bounded time.
  virtual ApplyReport apply(std::span<const GlobalsOperation> operations) = 0;
};

}  // namespace l4ward::ipvs
