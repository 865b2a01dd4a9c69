// The command line of l4ward.
#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"

namespace l4ward::agent {

struct Options {
  enum class Action { run, check, printExabgpConfig, help, version };

  Action action = Action::run;
  std::string config = "/etc/l4ward/site.yaml";
  std::string runDir = "/run/l4ward";
  std::string relay;  // path of l4ward-exabgp; empty: beside this program or in /usr/libexec
  log::Level logLevel = log::Level::info;
};

// Errors are for people: what was wrong and what to type instead.
Result<Options> parseOptions(const std::vector<std::string>& arguments);
std::string helpText();

}  // namespace l4ward::agent
