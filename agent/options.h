// The command line of l4ward.
#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"

namespace l4ward::agent {

struct Options {
  enum class Action { run, check, plan, printExabgpConfig, printNftables, remove, help, version };

  bool observe = false;  // run, and change nothing
  Action action = Action::run;
  std::string config = "/etc/l4ward/site.yaml";
  std::string netns;                         // of ip-netns; empty: the one that the program is in
  std::string runDir = "/run/l4ward";        // with netns and unless given: /run/l4ward/<netns>
  std::string stateDir = "/var/lib/l4ward";  // likewise; survives reboots
  bool exabgpService = false;  // ExaBGP is started by somebody else: l4ward-exabgp.service
  std::string relay;  // path of l4ward-exabgp; empty: beside this program or in /usr/libexec
  log::Level logLevel = log::Level::info;
};

// Errors are for people: what was wrong and what to type instead.
Result<Options> parseOptions(const std::vector<std::string>& arguments);
std::string helpText();

}  // namespace l4ward::agent
