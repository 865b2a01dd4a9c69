#include "healthcheck/packet_attempt.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "healthcheck/failure.h"
#include "healthcheck/icmp_message.h"
#include "healthcheck/socket.h"

namespace l4ward::healthcheck {

PacketAttempt::PacketAttempt(const Attempts::Shared& shared, const Probe& probe)
    : shared_(shared), probe_(probe), socket_(shared.io) {}

void PacketAttempt::start(Done done) {
  done_ = std::move(done);
  auto socket = openConnected();
  if (!socket) return end(std::move(socket.error()));
  ErrorCode error;
  socket_.assign(socket->get(), error);
  if (error) return end(judgeSetup(Setup::watch, error.value(), probe_));
  const int fd = socket->release();
  queueErrors(fd, family());
  const auto packet = request();
  if (send(fd, packet.data(), packet.size(), MSG_NOSIGNAL) < 0) {
    return end(judgeSetup(Setup::send, errno, probe_));
  }
  await();
}

void PacketAttempt::await() {
  socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](const ErrorCode& error) {
                       if (!self->done_) return;
                       if (!error) return self->receive();
                       self->end(judgeSetup(Setup::watch, error.value(), self->probe_));
                     });
}

// Once per readiness: whoever sends without end must not hold up the other probes.
void PacketAttempt::receive() {
  const auto buffer = shared_.scratch;
  const auto n = recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
  auto judgement = n < 0 ? judgeErrors(errno)
                         : onPacket(std::string_view(buffer.data(), static_cast<std::size_t>(n)));
  if (judgement) return end(std::move(*judgement));
  await();
}

std::optional<Judgement> PacketAttempt::judgeErrors(int code) {
  while (const auto error = takeError(socket_.native_handle())) {
    if (!error->byIcmp) return judgeSetup(Setup::send, error->code, probe_);
    const bool isRedirectOrQuench = error->code == EREMOTEIO || error->code == 0;
    if (isRedirectOrQuench) continue;
    if (auto judgement = onError(*error)) return judgement;
  }
  if (code == EAGAIN || code == EINTR) return std::nullopt;
  // An error of the network is among those above, or was at an earlier call: a raw socket has also
  // those of other programs' packets. What remains is this node's: somebody ended the socket.
  auto judgement = judgeLost(code, 0);
  if (judgement.answer != Answer::localError) return std::nullopt;
  return judgement;
}

void PacketAttempt::end(Judgement judgement) {
  const Done done = std::exchange(done_, nullptr);
  cancel();
  done(std::move(judgement));
}

void PacketAttempt::cancel() {
  done_ = nullptr;
  ErrorCode ignored;
  socket_.close(ignored);
}

Judgement PacketAttempt::timedOut() const {
  return failed(FailureKind::timeout, "no answer within " + formatDuration(probe_.timeout));
}

Family PacketAttempt::family() const {
  return destinationOf(probe_).address.family();
}

std::string PacketAttempt::describe(const NetworkError& error) const {
  auto text = describeIcmpError(family(), error.type, error.icmpCode);
  if (error.sender && error.sender != destinationOf(probe_).address) {
    text += ", says " + error.sender->str();
  }
  return text;
}

}  // namespace l4ward::healthcheck
