// Counts the system calls of processes, in the kernel (tracepoint raw_syscalls:sys_enter).
//
// While a counter is open every system call of the machine is a little slower, so what is counted
// is not timed. Throws std::runtime_error without tracefs or root.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "base/unique_fd.h"

namespace l4ward::bench {

class CallCounter {
 public:
  enum class Whom {
    self,         // this thread, from now on
    nextProgram,  // what this thread's children exec(), and their children, from the exec() on
  };
  explicit CallCounter(Whom whom);
  // All threads of `root` and of its descendants, and what they fork, from now on.
  explicit CallCounter(pid_t root);

  std::uint64_t calls() const;

 private:
  void watch(pid_t thread, bool fromExec);

  std::vector<UniqueFd> events_;
};

}  // namespace l4ward::bench
