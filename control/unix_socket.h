// The control socket's file, and who is at the other end.
#pragma once

#include <string>

#include "base/result.h"
#include "control/backend.h"

namespace l4ward::control {

// Removes a socket file that nobody listens on. An error if somebody does, or if it is no socket.
l4ward::Status removeStaleSocket(const std::string& path);

// Mode 0660 and this group; one that does not exist, or that the file cannot be given to, is logged
// and the file stays the agent's own group's.
l4ward::Status setAccess(const std::string& path, const std::string& group);

// Of a connected unix socket; pid 0 if the kernel does not say. Asks the name service.
Peer peerOf(int socket);

}  // namespace l4ward::control
