// The firewall rules that services with a mark need: which packets get which mark. l4ward prints
// them and leaves the firewall to its owner.
#pragma once

#include <string>

#include "config/site.h"

namespace l4ward::agent {

// A file for `nft -f` that replaces table inet l4ward. `site` must be valid. Without marks the
// table is deleted only.
std::string nftablesText(const config::Site& site);

}  // namespace l4ward::agent
