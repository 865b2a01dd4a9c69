// Attempts over UDP: a dialog's opening is one datagram.
#include <netinet/in.h>

#include <cerrno>

#include "healthcheck/failure.h"
#include "healthcheck/icmp_message.h"
#include "healthcheck/packet_attempt.h"
#include "healthcheck/protocol.h"
#include "healthcheck/socket.h"

namespace l4ward::healthcheck {
namespace {

class DatagramAttempt : public PacketAttempt {
 public:
  DatagramAttempt(const Attempts::Shared& shared, const Probe& probe,
                  std::unique_ptr<Dialog> dialog)
      : PacketAttempt(shared, probe), dialog_(std::move(dialog)) {}

  Judgement timedOut() const override {
    if (dialog_->received() == 0) return PacketAttempt::timedOut();
    return failed(FailureKind::timeout, "no answer within " + formatDuration(probe().timeout) +
                                            ", only datagrams that answer something else");
  }

 private:
  tl::expected<UniqueFd, Judgement> openConnected() override {
    auto socket = openSocket(probe(), SOCK_DGRAM, IPPROTO_UDP);
    if (!socket) return tl::unexpected(judgeSetup(Setup::socket, errno, probe()));
    auto connected = connectSocket(socket.get(), probe());
    if (!connected) return tl::unexpected(std::move(connected.error()));
    return socket;
  }

  std::string_view request() override { return dialog_->opening(); }

  std::optional<Judgement> onPacket(std::string_view datagram) override {
    return dialog_->receive(datagram);
  }

  // The kernel gives a connected socket no others than those about its own datagrams.
  std::optional<Judgement> onError(const NetworkError& error) override {
    const bool isRefused = isPortUnreachable(family(), error.type, error.icmpCode);
    return failed(isRefused ? FailureKind::refused : FailureKind::unreachable, describe(error));
  }

  std::unique_ptr<Dialog> dialog_;
};

class DatagramAttempts : public Attempts {
 public:
  DatagramAttempts(const Shared& shared, const Probe& probe, std::unique_ptr<Protocol> protocol)
      : shared_(shared), probe_(probe), protocol_(std::move(protocol)) {}

  std::shared_ptr<Attempt> make() override {
    return std::make_shared<DatagramAttempt>(shared_, probe_, protocol_->begin());
  }

 private:
  const Shared& shared_;
  const Probe& probe_;
  std::unique_ptr<Protocol> protocol_;
};

}  // namespace

Result<std::unique_ptr<Attempts>> datagramAttempts(const Attempts::Shared& shared,
                                                   const Probe& probe) {
  auto protocol = makeProtocol(probe);
  if (!protocol) return tl::unexpected(protocol.error());
  return std::make_unique<DatagramAttempts>(shared, probe, std::move(*protocol));
}

}  // namespace l4ward::healthcheck
