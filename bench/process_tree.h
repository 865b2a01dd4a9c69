// CPU time of a process and its children, and of the machine, from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace l4ward::bench {

// Nanoseconds (user and system) that the threads of `root` and of its living descendants have run.
// A zombie counts, a descendant that was waited for does not. 0 if there is no such process.
std::uint64_t cpuTime(pid_t root);

// The threads of `root` and of its living descendants.
std::vector<pid_t> threadsOf(pid_t root);

// Waits until the machine does next to nothing, which the last run's clean-up may prevent for a
// while. Gives up after ten seconds.
void awaitQuiet();

}  // namespace l4ward::bench
