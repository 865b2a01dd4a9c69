// A process id that is not mistaken when the kernel gives the number to another process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/result.h"

namespace l4ward::bgp {

struct ProcessId {
  pid_t pid = 0;
  std::uint64_t startTime = 0;  // clock ticks since boot; proc(5), stat, field 22

  std::string str() const;  // "pid:start time"
  bool operator==(const ProcessId&) const = default;
};

// The running process `pid` as of now; an error if there is none (a zombie is none).
Result<ProcessId> processId(pid_t pid);

}  // namespace l4ward::bgp
