// What a process knows of itself beside the controller's state: for people to see.
#pragma once

#include <map>
#include <string>

#include "control/status.h"

namespace l4ward::agent {

struct ProcessState {
  double at = 0;  // seconds since 1970, at the snapshot's time
  double startedAt = 0;
  std::string phase;  // as control::Node::phase
  std::string siteFile;
  bool relayConnected = false;
  control::Reloads reloads;
  std::map<std::string, std::string> staleServers;
  control::Work work;  // but for `drift`
};

}  // namespace l4ward::agent
