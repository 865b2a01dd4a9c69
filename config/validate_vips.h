// What can only be said of all VIPs together: whose they are, how many, and which get in each
// other's way. A part of validate.h.
#pragma once

#include <string>

#include "config/diagnostics.h"
#include "config/site.h"

namespace l4ward::config {

void validateVips(const Site& site, Diagnostics& errors);

// "services.web.vips"
std::string servicePath(const Service& service, const std::string& key);
// "services.web.vips[2]"
std::string vipPath(const Service& service, std::size_t index);

}  // namespace l4ward::config
