// Values of a site file as its text.
#pragma once

#include <string>
#include <string_view>

#include "config/site.h"

namespace l4ward::keepalived {

// A scalar, in quotes where it needs them. `text` is printable ASCII.
std::string yamlScalar(std::string_view text);

// The block of one entry under `checks`, `pools` or `services`: "  NAME:" and its keys. Only what
// an import makes is written; keys with their default are left out. What it writes,
// config::loadSite reads back.
std::string yamlOf(const config::Check& check);
std::string yamlOf(const config::Pool& pool);
std::string yamlOf(const config::Service& service);

}  // namespace l4ward::keepalived
