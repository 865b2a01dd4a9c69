// Whether a virtual IP can serve, and so whether it is announced. Pure.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "agent/health.h"
#include "agent/model.h"

namespace l4ward::agent {

// What is known about one IPVS service of a virtual IP.
struct ServiceView {
  bool exists = false;          // the kernel holds it
  bool programmed = false;      // and holds just what was wanted
  bool complete = false;        // each of its servers has a verdict
  bool quorum = false;          // enough servers are up
  bool quorumPossible = false;  // enough are up or have no verdict yet
  bool anyUp = false;           // a server is up
  config::BelowQuorum below = config::BelowQuorum::withdraw;
  std::optional<control::Action> override = {};  // what people say of it
};

// What becomes of a virtual IP's routes.
enum class Decision {
  announce,
  depreference,  // announced as a last resort
  demote,        // the same if it is announced, else nothing
  keep,          // not enough is known to change what stands
  withdraw,
};

// The services of a virtual IP, joined. Nothing is announced anew by `keep` and `demote`, which is
// what a service without any server that is up asks for at most.
Decision decide(bool addressPresent, std::span<const ServiceView> services,
                config::AnnounceWhen when = config::AnnounceWhen::all);

// Whether its routes are to say that this node is about to stop, since people drain its services:
// one of them; where `any` is enough to announce it, all those that could serve.
bool isDrained(std::span<const ServiceView> services, config::AnnounceWhen when);

// What the checks of a service's own servers say about its quorum.
enum class QuorumState {
  reached,
  open,  // enough servers are up or have no verdict yet
  lost,
};

// `held`: as for viewOf().
QuorumState quorumOf(const VirtualService& service, const HealthTable& health, bool held,
                     TimePoint now, Millis deadline);

// The fields that health decides. `held`: the quorum was held until now, so it is lost below its
// value; else it is regained at its value and the hysteresis. Without a quorum of its own servers
// a service has one as soon as a server of its backup pool is up.
ServiceView viewOf(const VirtualService& service, const HealthTable& health, bool held,
                   TimePoint now, Millis deadline);

// Which servers of a service take new connections.
struct ServerUse {
  enum class Own {
    checked,  // those that pass their checks
    all,      // panic
    none,     // the backup pool has taken over
  };
  Own own = Own::checked;
  bool backups = false;  // the backup pool's are in the table, too
  bool operator==(const ServerUse&) const = default;
};

// So few servers are up that the checks are not believed (config::Service::panicThreshold), each
// server having a verdict. Those that people have taken out count neither way.
bool inPanic(const VirtualService& service, const HealthTable& health, TimePoint now,
             Millis deadline);

// "1 of 3 servers up", for logs.
std::string upOf(const std::map<Endpoint, Backend>& backends, const HealthTable& health);
// "1 of 3 servers up, quorum 2"
std::string describe(const VirtualService& service, const HealthTable& health);

}  // namespace l4ward::agent
