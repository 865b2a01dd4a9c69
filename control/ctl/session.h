// One run of l4wardctl: what its commands share. A command asks, and prints text or JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "control/ctl/answers.h"
#include "control/ctl/client.h"
#include "control/ctl/command_line.h"
#include "control/ctl/run.h"

namespace l4ward::ctl {

class Session {
 public:
  Session(const CommandLine& line, Terminal& terminal);

  // Does `line.command`; the exit status.
  int run();

 private:
  int showStatus();  // all commands that show a part of it
  int showText(const control::Request& request, const char* ifEmpty);
  int events();
  int followEvents();
  int watch();
  int lookup();
  int plan();
  int planOfObserver();
  int importSite();
  int setOverride(control::Action action);
  int waitFor(control::Action action, double since);
  int clearOverride();
  int reload();
  int fleet();
  int version();
  int help();
  int complete();

  control::Reply ask(const control::Request& request) const;
  std::string screenOf(const control::NodeStatus& status) const;
  void print(const nlohmann::json& value);
  int refuse(const control::Refusal& refusal);
  int badInput(const std::string& message, const std::string& next = "");

  const CommandLine& line_;
  Terminal& terminal_;
  Style style_;
  Client::Options options_;
};

// The file, or standard input for "-"; an error if it has more than `most` bytes.
Result<std::string> readInput(const std::string& path, std::size_t most);

// On stderr for people, on stdout as JSON; the exit status that it means.
int tellRefusal(const control::Refusal& refusal, bool asJson, Terminal& terminal);

}  // namespace l4ward::ctl
