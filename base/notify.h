// Tells the service manager how this program is, by the protocol of sd_notify(3). Without
// libsystemd: it is one datagram, and that library would bring seven others into a process with
// CAP_NET_ADMIN.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"

namespace l4ward {

// Sends lines such as "READY=1" or "STOPPING=1" to the socket that $NOTIFY_SOCKET names. Says
// whether it was sent; false as well where no service manager asked for it.
bool notifyServiceManager(const std::string& state);

// How long the service manager waits for "WATCHDOG=1" before it kills this process
// ($WATCHDOG_USEC, sd_watchdog_enabled(3)); nothing if it does not. At least 1 ms.
std::optional<Millis> watchdogTime();

}  // namespace l4ward
