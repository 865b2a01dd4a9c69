// The command line of l4wardctl as a value. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "control/override.h"
#include "control/request.h"

namespace l4ward::ctl {

enum class When { automatic, always, never };

struct CommandLine {
  std::string command;
  std::vector<std::string> arguments;  // as given, without the command

  std::string socket;  // path
  bool json = false;
  When colour = When::automatic;
  Millis timeout{15000};
  bool help = false;     // --help: of `command`, or of all if that is empty
  bool version = false;  // --version

  bool all = false;
  bool down = false;
  bool failing = false;
  bool verbose = false;
  bool follow = false;
  bool force = false;
  bool wait = false;
  std::string pool;
  std::string service;
  std::string server;
  std::string level = "info";
  std::string protocol = "tcp";
  std::string reason;
  std::string configId;  // empty: this host's
  std::optional<std::size_t> last;
  std::optional<Millis> forTime;
  Millis limit{600'000};

  control::Subject subject;  // drain, disable, enable
  Endpoint client;           // lookup
  Endpoint vip;
};

// The refusal's code is "usage"; it says what was found and expected, and did-you-mean.
tl::expected<CommandLine, control::Refusal> parseCommandLine(
    const std::vector<std::string>& arguments);
// Whether --json is among them: so that a mistake is told as JSON, too.
bool wantsJson(const std::vector<std::string>& arguments);

}  // namespace l4ward::ctl
