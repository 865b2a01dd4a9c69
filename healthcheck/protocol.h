// A conversation with a server: bytes in, bytes out, no sockets and no clock.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "healthcheck/job.h"
#include "healthcheck/judgement.h"

namespace l4ward::healthcheck {

// One conversation, over a stream (tcp, TLS) or by datagrams. What it holds of the answer is
// bounded, whatever comes.
class Dialog {
 public:
  virtual ~Dialog() = default;

  // What to send at first; valid while the dialog lives. Empty: nothing, the server speaks first.
  // A dialog that says so by `connectionIsEnough` is over as soon as there is a connection and the
  // opening is sent: end() then is its judgement.
  virtual std::string_view opening() = 0;
  virtual bool connectionIsEnough() const { return false; }

  // The next bytes, or one datagram. The judgement, once there is one; nothing is fed after it.
  virtual std::optional<Judgement> receive(std::string_view bytes) = 0;
  // What must be sent now, in answer to what was received; taken away by the call.
  virtual std::string reply() { return {}; }

  // The server closed its side of a stream.
  virtual Judgement end() = 0;

  // Bytes received, for the text of a deadline that passed.
  virtual std::size_t received() const = 0;
};

// How a probe's dialogs go: what all of them have in common, prepared once.
class Protocol {
 public:
  virtual ~Protocol() = default;
  // The protocol outlives its dialogs.
  virtual std::unique_ptr<Dialog> begin() const = 0;
};

// For a probe that is a conversation (not icmp, exec, file). An error: its regular expression or
// other text cannot be used, which the site file's reader has ruled out.
Result<std::unique_ptr<Protocol>> makeProtocol(const Probe& probe);

// Of each kind. `probe` is copied as far as it is needed.
Result<std::unique_ptr<Protocol>> tcpProtocol(const TcpProbe& probe);
Result<std::unique_ptr<Protocol>> httpProtocol(const HttpProbe& probe, const Probe& whole);
Result<std::unique_ptr<Protocol>> agentProtocol(const AgentProbe& probe);
Result<std::unique_ptr<Protocol>> dnsProtocol(const DnsProbe& probe);
Result<std::unique_ptr<Protocol>> udpProtocol(const UdpProbe& probe);
Result<std::unique_ptr<Protocol>> grpcProtocol(const GrpcProbe& probe, const Probe& whole);

}  // namespace l4ward::healthcheck
