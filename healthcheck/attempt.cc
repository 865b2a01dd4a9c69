#include "healthcheck/attempt.h"

#include <sys/socket.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "healthcheck/connection.h"
#include "healthcheck/failure.h"

namespace l4ward::healthcheck {
namespace {

bool mustWait(int code) {
  return code == EAGAIN || code == EINTR;
}

}  // namespace

Attempt::Attempt(asio::io_context& io, Plan plan, Done done)
    : socket_(io), plan_(plan), done_(std::move(done)) {}

void Attempt::start() {
  auto connecting = startConnect(plan_.probe);
  if (!connecting) return end(std::move(connecting.error()));
  const auto protocol =
      plan_.probe.target.address.isV4() ? asio::ip::tcp::v4() : asio::ip::tcp::v6();
  ErrorCode error;
  socket_.assign(protocol, connecting->get(), error);
  if (error) return end(judgeSetup(Setup::watch, error.value(), plan_.probe));
  connecting->release();
  await(Wait::wait_write, &Attempt::onConnected);
}

void Attempt::await(Wait what, void (Attempt::*next)()) {
  socket_.async_wait(what, [self = shared_from_this(), next](const ErrorCode& error) {
    if (!self->done_) return;
    if (error) return self->end(judgeSetup(Setup::watch, error.value(), self->plan_.probe));
    (self.get()->*next)();
  });
}

void Attempt::onConnected() {
  if (!plan_.request.empty()) return sendRequest();  // send() reports a failed connect as well
  if (const int error = connectError(socket_.native_handle())) return end(judgeLost(error, 0));
  end({Answer::pass, FailureKind::none, "connected"});
}

void Attempt::sendRequest() {
  const auto rest = std::string_view(plan_.request).substr(sent_);
  const auto n = send(socket_.native_handle(), rest.data(), rest.size(), MSG_NOSIGNAL);
  if (n < 0 && !mustWait(errno)) return end(judgeLost(errno, 0));
  connected_ = true;
  if (n > 0) sent_ += static_cast<std::size_t>(n);
  if (sent_ < plan_.request.size()) return await(Wait::wait_write, &Attempt::sendRequest);
  reader_.emplace(std::get<HttpProbe>(plan_.probe.how));
  await(Wait::wait_read, &Attempt::receive);
}

// Once per readiness: a server that sends without end must not hold up the other probes.
void Attempt::receive() {
  const auto n = recv(socket_.native_handle(), plan_.scratch.data(), plan_.scratch.size(), 0);
  if (n < 0 && !mustWait(errno)) return end(judgeLost(errno, reader_->received()));
  if (n == 0) return end(reader_->end());
  if (n > 0) {
    const std::string_view bytes(plan_.scratch.data(), static_cast<std::size_t>(n));
    if (auto judgement = reader_->feed(bytes)) return end(std::move(*judgement));
  }
  await(Wait::wait_read, &Attempt::receive);
}

void Attempt::end(Judgement judgement) {
  const Done done = std::exchange(done_, nullptr);
  cancel();
  done(std::move(judgement));
}

void Attempt::cancel() {
  done_ = nullptr;
  ErrorCode ignored;
  socket_.close(ignored);
}

Judgement Attempt::timedOut() const {
  const std::string limit = " within " + formatDuration(plan_.probe.timeout);
  if (!connected_) return failed(FailureKind::timeout, "not connected" + limit);
  const auto received = reader_ ? reader_->received() : 0;
  if (received == 0) return failed(FailureKind::timeout, "no answer" + limit);
  return failed(FailureKind::timeout,
                "answer incomplete" + limit + " (" + std::to_string(received) + " bytes so far)");
}

}  // namespace l4ward::healthcheck
