// Tells the service manager how this program is, by the protocol of sd_notify(3). Without
// libsystemd: it is one datagram, and that library would bring seven others into a process with
// CAP_NET_ADMIN.
#pragma once

#include <string>

namespace l4ward {

// Sends lines such as "READY=1" or "STOPPING=1" to the socket that $NOTIFY_SOCKET names. Says
// whether it was sent; false as well where no service manager asked for it.
bool notifyServiceManager(const std::string& state);

}  // namespace l4ward
