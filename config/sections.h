// The sections of site.yaml, one function each. They check every value for itself and report into
// the value's Diagnostics; what depends on other sections is validate.h's.
#pragma once

#include <map>
#include <string>

#include "config/load.h"
#include "config/reader.h"
#include "config/site.h"

namespace l4ward::config {

inline constexpr std::size_t kMaxNamed = 1024;    // checks, pools, services
inline constexpr std::size_t kMaxServers = 4093;  // a pool: mh's table has no more slots on Debian
inline constexpr std::size_t kMaxVips = 256;      // a service; a prefix is one
inline constexpr std::size_t kMaxPorts = 64;      // a service
inline constexpr std::size_t kMaxNeighbors = 64;

Bgp readBgp(const Value& value);
std::map<std::string, Check> readChecks(const Value& value);
// `read`: what stands in the files that pools name.
std::map<std::string, Pool> readPools(const Value& value, const ServersReader& read);
Thresholds readThresholds(const Value& value);
// Keeps the places of the list: servers with mistakes stay, without what was wrong. `thresholds`:
// of those that have none of their own.
std::vector<Server> readServers(const Value& value, const Thresholds& thresholds);
// As readServers, from the files that `pool.serversFrom` names, which stands at `value`.
std::vector<Server> readServersFrom(const Value& value, const Pool& pool,
                                    const Thresholds& thresholds, const ServersReader& read);
std::map<std::string, Service> readServices(const Value& value);
Ipvs readIpvs(const Value& value);
DataPath readDataPath(const Value& value);
Control readControl(const Value& value);
std::map<Prefix, AnnounceWhen> readVipRules(const Value& value);

// Keeps the places of the list: a wrong one stays, as 0.0.0.0.
std::vector<Prefix> readVips(const Value& value);
// {0} for `all`.
std::vector<std::uint16_t> readPorts(const Value& value);

// The keys of a service that say what becomes of it when servers fail.
void readAvailability(const Record& record, Service& service);

// What the agent sets unless the file says otherwise.
std::map<std::string, std::string> defaultSysctls();
// The defaults with the file's own over them; `null` or `keep` leaves a key to the system.
std::map<std::string, std::string> readSysctls(const Value& value);

}  // namespace l4ward::config
