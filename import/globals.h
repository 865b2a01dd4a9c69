// What stands outside of virtual servers: global_defs, SSL, and the blocks of VRRP and BFD.
#pragma once

#include <string>
#include <vector>

#include "import/virtual_server.h"

namespace l4ward::keepalived {

// Reads what virtual servers need, and reports all else that is known.
Globals readGlobals(const Section& root, SiteDraft& site);

// The checker side's keywords, for slips of the pen.
const std::vector<std::string>& knownKeywords();

}  // namespace l4ward::keepalived
