// Signals as descriptors that poll(2) can wait for. One thread.
#pragma once

#include <initializer_list>

#include "base/clock.h"
#include "base/unique_fd.h"

namespace l4ward::ctl {

// From now on the process is not ended by these signals: they make the descriptor readable.
UniqueFd signalDescriptor(std::initializer_list<int> signals);
// SIGINT, SIGTERM and SIGHUP: the user or the system wants an end.
UniqueFd endSignals();
// How many signals came on it since it was read last.
int takeSignals(const UniqueFd& descriptor);
// Waits; false if `stop` became readable before.
bool pauseUnless(const UniqueFd& stop, Millis time);

}  // namespace l4ward::ctl
