#include "control/ctl/interrupts.h"

#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace l4ward::ctl {

UniqueFd signalDescriptor(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  UniqueFd descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!descriptor) throw std::system_error(errno, std::generic_category(), "signalfd");
  return descriptor;
}

UniqueFd endSignals() {
  return signalDescriptor({SIGINT, SIGTERM, SIGHUP});
}

int takeSignals(const UniqueFd& descriptor) {
  signalfd_siginfo info{};
  int count = 0;
  while (::read(descriptor.get(), &info, sizeof info) == sizeof info) ++count;
  return count;
}

bool pauseUnless(const UniqueFd& stop, Millis time) {
  const auto deadline = Clock::now() + time;
  for (;;) {
    const auto left = std::chrono::ceil<Millis>(deadline - Clock::now()).count();
    pollfd fd{stop.get(), POLLIN, 0};
    const int ready = ::poll(&fd, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    if (ready > 0) return false;
    if (left <= 0) return true;
  }
}

}  // namespace l4ward::ctl
