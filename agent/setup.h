// What must be there before the agent changes anything: its run directory, its lock, its relay.
#pragma once

#include <string>

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

// Sets the site's sysctls, and those that its checks through tunnels need; logs what changed and
// what could not be.
void setSiteSysctls(const config::Site& site);

// What the agent must remember (agent/memory_file.h).
std::string recordPath(const Options& options);

std::string hostName();
// The name of the user this process runs as.
std::string userName();

}  // namespace l4ward::agent
