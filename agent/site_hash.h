// A text that two nodes can compare to see that they were told the same.
#pragma once

#include <string>

#include "config/site.h"

namespace l4ward::agent {

// 16 hexadecimal digits of what must agree in a fleet: checks, pools with their servers, services,
// and what makes virtual IPs of them. Not of what belongs to one node: its name and interface,
// neighbors and their addresses, probes' source addresses. Guards against mistakes, not against
// somebody who wants equal hashes.
std::string siteHash(const config::Site& site);

}  // namespace l4ward::agent
