// What must be there before the agent changes anything: its run directory, its lock, its relay.
#pragma once

#include <map>
#include <string>

#include "agent/memory_file.h"
#include "agent/options.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "bgp/exabgp_config.h"
#include "config/site.h"

namespace l4ward::agent {

// Makes the directory if need be and takes the lock in it, held as long as the descriptor is open.
// Fails with a sentence when another agent holds it or the directory is not writable.
Result<UniqueFd> lockRunDir(const std::string& runDir);

// The site's part of ExaBGP's configuration; reads the neighbors' password files (which must not be
// readable by others) and finds the relay. `site.bgp` must be set.
Result<bgp::ExabgpConfig> exabgpConfig(const config::Site& site, const Options& options);

// The site's sysctls, and those that its checks through tunnels need: name and value. None for a
// site without services.
std::map<std::string, std::string> wantedSysctls(const config::Site& site);
// Sets them; logs what changed and what could not be, and puts what changed on record.
void setSiteSysctls(const config::Site& site, MemoryFile& memory);

// What the agent must remember (agent/memory_file.h).
std::string recordPath(const Options& options);

// Programs that this one starts get none of its capabilities, unless they run as root.
void keepCapabilities();

}  // namespace l4ward::agent
