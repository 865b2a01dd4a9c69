// Attempts that talk over a TCP connection, with TLS or without.
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "healthcheck/attempt.h"
#include "healthcheck/connection.h"
#include "healthcheck/failure.h"
#include "healthcheck/protocol.h"
#include "healthcheck/socket.h"
#include "healthcheck/tls.h"

namespace l4ward::healthcheck {
namespace {

bool mustWait(int code) {
  return code == EAGAIN || code == EINTR;
}

// What all attempts of one job have in common.
struct Stream {
  const Attempts::Shared& shared;
  const Probe& probe;
  std::unique_ptr<Protocol> protocol;
  std::unique_ptr<TlsContext> tls;  // null: plain
};

class StreamAttempt final : public Attempt, public std::enable_shared_from_this<StreamAttempt> {
 public:
  explicit StreamAttempt(std::shared_ptr<Stream> stream)
      : stream_(std::move(stream)),
        socket_(stream_->shared.io),
        dialog_(stream_->protocol->begin()) {
    if (stream_->tls) tls_.emplace(*stream_->tls);
  }

  void start(Done done) override {
    done_ = std::move(done);
    const auto& probe = stream_->probe;
    ErrorCode error;
    socket_.open(ProbeTcp(destinationOf(probe).address.isV4() ? AF_INET : AF_INET6), error);
    if (error) return end(judgeSetup(Setup::socket, error.value(), probe));
    auto connecting = startConnect(socket_.native_handle(), probe);
    if (!connecting) return end(std::move(connecting.error()));
    await(Wait::wait_write, &StreamAttempt::onConnected);
  }

  void cancel() override {
    done_ = nullptr;
    ErrorCode ignored;
    socket_.close(ignored);
  }

  Judgement timedOut() const override {
    const std::string limit = " within " + formatDuration(stream_->probe.timeout);
    if (!connected_) return silence(failed(FailureKind::timeout, "not connected" + limit));
    if (tls_ && !tls_->handshakeDone()) {
      return silence(failed(FailureKind::timeout, "no TLS handshake" + limit));
    }
    const auto received = dialog_->received();
    if (received == 0) return silence(failed(FailureKind::timeout, "no answer" + limit));
    return silence(failed(FailureKind::timeout, "answer incomplete" + limit + " (" +
                                                    std::to_string(received) + " bytes so far)"));
  }

 private:
  using Wait = asio::socket_base::wait_type;

  void await(Wait what, void (StreamAttempt::*next)()) {
    socket_.async_wait(what, [self = shared_from_this(), next](const ErrorCode& error) {
      if (!self->done_) return;
      if (error) return self->end(judgeSetup(Setup::watch, error.value(), self->stream_->probe));
      (self.get()->*next)();
    });
  }

  void onConnected() {
    const auto opening = dialog_->opening();
    if (tls_) {
      tls_->write(opening);
      own_ = tls_->output();
      unsent_ = own_;
    } else {
      unsent_ = opening;
    }
    if (!unsent_.empty()) return flush();  // send() reports a failed connect as well
    if (const int error = connectError(socket_.native_handle())) return end(judgeLost(error, 0));
    onSent();
  }

  void flush() {
    const auto n = send(socket_.native_handle(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (n < 0 && !mustWait(errno)) return end(judgeLost(errno, dialog_->received()));
    connected_ = true;
    if (n > 0) unsent_.remove_prefix(static_cast<std::size_t>(n));
    if (!unsent_.empty()) return await(Wait::wait_write, &StreamAttempt::flush);
    onSent();
  }

  void onSent() {
    connected_ = true;
    if (dialog_->connectionIsEnough() && (!tls_ || tls_->handshakeDone())) {
      return end(dialog_->end());
    }
    await(Wait::wait_read, &StreamAttempt::receive);
  }

  // Once per readiness: a server that sends without end must not hold up the other probes.
  void receive() {
    const auto scratch = stream_->shared.scratch;
    const auto n = recv(socket_.native_handle(), scratch.data(), scratch.size(), 0);
    if (n < 0 && !mustWait(errno)) return end(judgeLost(errno, dialog_->received()));
    if (n < 0) return await(Wait::wait_read, &StreamAttempt::receive);
    if (n == 0) return end(closed());
    std::string_view bytes(scratch.data(), static_cast<std::size_t>(n));
    std::string plain;
    std::optional<Judgement> broken;
    if (tls_) {
      broken = tls_->receive(bytes, plain);
      bytes = plain;
    }
    // What came before TLS broke counts: an answer may be complete.
    if (!bytes.empty()) {
      if (auto judgement = dialog_->receive(bytes)) return end(std::move(*judgement));
    }
    if (broken) return end(std::move(*broken));
    if (tls_ && tls_->ended()) return end(closed());
    answer();
  }

  void answer() {
    auto reply = dialog_->reply();
    if (tls_) {
      tls_->write(reply);
      reply = tls_->output();
    }
    own_ = std::move(reply);
    unsent_ = own_;
    if (unsent_.empty()) return onSent();
    flush();
  }

  Judgement closed() {
    if (tls_ && !tls_->handshakeDone()) {
      return failed(FailureKind::closed, "closed during the TLS handshake");
    }
    return dialog_->end();
  }

  // What goes wrong with an agent says nothing about its server: that one has checks of its own.
  Judgement silence(Judgement judgement) const {
    const bool asked = std::holds_alternative<AgentProbe>(stream_->probe.how);
    if (asked && judgement.answer == Answer::fail && judgement.kind != FailureKind::reported) {
      judgement.answer = Answer::silent;
    }
    return judgement;
  }

  void end(Judgement judgement) {
    if (tls_ && judgement.answer != Answer::localError) judgement.warning = tls_->warning();
    const auto self = shared_from_this();
    const Done done = std::exchange(done_, nullptr);
    cancel();
    done(silence(std::move(judgement)));
  }

  std::shared_ptr<Stream> stream_;
  ProbeTcp::socket socket_;
  std::unique_ptr<Dialog> dialog_;
  std::optional<TlsSession> tls_;
  Done done_;  // empty: over
  bool connected_ = false;
  std::string own_;  // what is sent, where the dialog does not keep it
  std::string_view unsent_;
};

class StreamAttempts final : public Attempts {
 public:
  explicit StreamAttempts(Stream stream) : stream_(std::make_shared<Stream>(std::move(stream))) {}
  std::shared_ptr<Attempt> make() override { return std::make_shared<StreamAttempt>(stream_); }

 private:
  std::shared_ptr<Stream> stream_;
};

}  // namespace

Result<std::unique_ptr<Attempts>> streamAttempts(const Attempts::Shared& shared,
                                                 const Probe& probe) {
  auto protocol = makeProtocol(probe);
  if (!protocol) return tl::unexpected(protocol.error());
  std::unique_ptr<TlsContext> tls;
  if (probe.tls) {
    auto settings = *probe.tls;
    // RFC 9113, section 3.3: HTTP/2 over TLS is agreed on by ALPN.
    if (std::holds_alternative<GrpcProbe>(probe.how) && settings.alpn.empty()) {
      settings.alpn = {"h2"};
    }
    auto context = TlsContext::make(settings, probe.target.address);
    if (!context) return tl::unexpected(context.error());
    tls = *std::move(context);
  }
  return std::make_unique<StreamAttempts>(
      Stream{shared, probe, *std::move(protocol), std::move(tls)});
}

}  // namespace l4ward::healthcheck
