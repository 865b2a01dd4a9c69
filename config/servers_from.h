// The files that a pool's `servers_from` names, and servers as the text of such a file.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/load.h"

namespace l4ward::config {

// Where `from` of the site file `siteFile` leads: a relative path begins in the directory that this
// is in.
std::string pathBeside(const std::string& siteFile, const std::string& from);

// Reads the file that a pool names, or the regular files NAME.yaml of the directory that it names,
// by order of their names, without those that begin with a dot. All of them together have at most
// kMaxSiteBytes.
ServersReader serversBeside(const std::string& siteFile);

// A file that reads as these servers.
std::string serversText(const std::vector<Server>& servers);

}  // namespace l4ward::config
