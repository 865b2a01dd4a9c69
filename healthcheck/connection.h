// The socket of one probe, by plain system calls: what they return tells a local error from the
// server's, which Asio's connect hides.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <tl/expected.hpp>

#include "base/asio.h"
#include "healthcheck/job.h"
#include "healthcheck/judgement.h"

namespace l4ward::healthcheck {

// TCP for Asio, whose sockets it makes non-blocking and not inherited by programs. Sockets that
// Asio did not open itself cost it a system call more at their end.
class ProbeTcp {
 public:
  using endpoint = asio::generic::basic_endpoint<ProbeTcp>;
  using socket = asio::basic_stream_socket<ProbeTcp>;

  explicit ProbeTcp(int family, int /*protocol*/ = IPPROTO_TCP) : family_(family) {}  // AF_INET…
  int family() const { return family_; }
  int type() const { return SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC; }
  int protocol() const { return IPPROTO_TCP; }

 private:
  int family_;
};

// Lets a ProbeTcp socket connect to the probe's destination; it does, or has.
//
// It is closed with a reset (SO_LINGER 0), so that neither side is left with a TIME_WAIT, and a
// dead server's sockets do not linger here as orphans. If a connection is all that is asked, the
// handshake's last ACK is held back (TCP_QUICKACK 0) and then replaced by the reset, so that the
// server's program never sees the connection. Not else: it would delay the ACKs of the answer as
// well, and a server that sends it in two pieces waits 40 ms for the first one's.
tl::expected<void, Judgement> startConnect(int socket, const Probe& probe);

// SO_ERROR, the result of a connect that has ended: 0 or an errno.
int connectError(int socket);

}  // namespace l4ward::healthcheck
