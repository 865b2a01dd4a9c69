// What can only be said of `bgp` and the services together. A part of validate.h.
#pragma once

#include "config/diagnostics.h"
#include "config/site.h"

namespace l4ward::config {

void validateBgp(const Site& site, Diagnostics& errors);

}  // namespace l4ward::config
