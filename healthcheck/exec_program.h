// Starts a check's program: no shell, nothing of ours but what is named here.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace l4ward::healthcheck {

struct ExecUser {
  std::string name;
  uid_t id = 0;
  std::vector<gid_t> groups;  // the first is the primary one
};

// By the system's databases, which may take their time.
Result<ExecUser> lookUpUser(const std::string& name);

struct ExecProgram {
  std::vector<std::string> command;      // a path and its arguments
  std::vector<std::string> environment;  // all of it, each "NAME=value"
  std::optional<ExecUser> user;          // else the agent's own
};

struct StartedProgram {
  pid_t pid = 0;  // leads its own process group; the caller reaps it
  UniqueFd pidfd;
  UniqueFd output;   // stdout and stderr; does not block
  UniqueFd trouble;  // for whyNotRun; does not block
};

// Its stdin is /dev/null, its directory "/", its signals are as after a login. Returns as soon as
// there is a process; an error if there can be none. Safe while other threads run.
Result<StartedProgram> startProgram(const ExecProgram& program);

// For a process that has ended: why it never became the program; nothing if it did.
std::optional<std::string> whyNotRun(const StartedProgram& started, const ExecProgram& program);

// SIGKILL to all of its group. Only before the process is reaped: its number may be another's then.
void killGroup(pid_t pid);

}  // namespace l4ward::healthcheck
