// What can only be said of checks together with the pools and services that use them. A part of
// validate.h.
#pragma once

#include "config/diagnostics.h"
#include "config/site.h"

namespace l4ward::config {

void validateChecks(const Site& site, Diagnostics& errors);

}  // namespace l4ward::config
