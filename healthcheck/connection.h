// The socket of one probe, by plain system calls: what they return tells a local error from the
// server's, which Asio's connect hides.
#pragma once

#include <tl/expected.hpp>

#include "base/unique_fd.h"
#include "healthcheck/job.h"
#include "healthcheck/judgement.h"

namespace l4ward::healthcheck {

// A non-blocking, close-on-exec TCP socket that connects to the probe's destination, or has.
//
// It is closed with a reset (SO_LINGER 0), so that neither side is left with a TIME_WAIT, and a
// dead server's sockets do not linger here as orphans. If a connection is all that is asked, the
// handshake's last ACK is held back (TCP_QUICKACK 0) and then replaced by the reset, so that the
// server's program never sees the connection. Not else: it would delay the ACKs of the answer as
// well, and a server that sends it in two pieces waits 40 ms for the first one's.
tl::expected<UniqueFd, Judgement> startConnect(const Probe& probe);

// SO_ERROR, the result of a connect that has ended: 0 or an errno.
int connectError(int socket);

}  // namespace l4ward::healthcheck
