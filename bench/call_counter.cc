#include "bench/call_counter.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>

#include "bench/process_tree.h"

namespace l4ward::bench {
namespace {

std::uint64_t tracepoint() {
  std::uint64_t number = 0;
  std::ifstream("/sys/kernel/tracing/events/raw_syscalls/sys_enter/id") >> number;
  if (number == 0) throw std::runtime_error("no tracepoint for system calls; is tracefs mounted?");
  return number;
}

}  // namespace

CallCounter::CallCounter(Whom whom) {
  watch(0, whom == Whom::nextProgram);
}

CallCounter::CallCounter(pid_t root) {
  for (const pid_t thread : threadsOf(root)) watch(thread, false);
}

void CallCounter::watch(pid_t thread, bool fromExec) {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.size = sizeof attributes;
  attributes.config = tracepoint();
  attributes.inherit = 1;
  attributes.disabled = fromExec;
  attributes.enable_on_exec = fromExec;
  const auto fd = ::syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0) throw std::runtime_error(std::string("perf_event_open: ") + std::strerror(errno));
  events_.emplace_back(static_cast<int>(fd));
}

std::uint64_t CallCounter::calls() const {
  std::uint64_t sum = 0;
  for (const auto& event : events_) {
    std::uint64_t count = 0;
    if (::read(event.get(), &count, sizeof count) == sizeof count) sum += count;
  }
  return sum;
}

}  // namespace l4ward::bench
