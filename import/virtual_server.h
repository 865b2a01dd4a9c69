// virtual_server: one or more IPVS services, their real servers and checks.
#pragma once

#include <map>
#include <string>

#include "healthcheck/job.h"
#include "import/groups.h"
#include "import/servers.h"
#include "import/site_draft.h"

namespace l4ward::keepalived {

// What holds for all virtual servers.
struct Globals {
  std::map<std::string, Group> groups;
  healthcheck::Tls tls;    // of the block SSL
  std::string scriptUser;  // of global_defs
};

// Adds what the block becomes to `site`. What cannot be carried over is reported; the block as a
// whole if nothing is left of it.
void importVirtualServer(Node& node, Globals& globals, SiteDraft& site, Report& report);

// Of service_keys.cc: protocol, scheduler, flags, persistence, one_packet. `marked`: some of the
// services are found by mark, so that `protocol` does not say what packets they get.
config::Service readService(const Section& section, bool marked);
// The quorum of a pool whose weights come to `weight`.
config::Quorum readQuorum(const Section& section, std::uint64_t weight);

// Of pool_draft.cc: one pool of servers that need not be alike. `entries` say which families and
// ports are asked for; servers that do not fit are reported and left out. Empty name: none is left.
std::string addServers(std::vector<ServerDraft> servers, const std::vector<Entry>& entries,
                       const std::string& name, SiteDraft& site, Report& report);

}  // namespace l4ward::keepalived
