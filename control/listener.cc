#include "control/listener.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <utility>

#include "base/log.h"

namespace l4ward::control {
namespace {

constexpr Millis kAcceptAgain{500};

}  // namespace

l4ward::Status Listener::open(const Protocol::endpoint& endpoint) {
  ErrorCode error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error && endpoint.protocol().family() != AF_UNIX) {
    acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  }
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) return {};
  close();
  return fail(error.message(), error.value());
}

l4ward::Status Listener::start() {
  ErrorCode error;
  acceptor_.listen(static_cast<int>(maxClients_), error);
  if (error) {
    close();
    return fail(error.message(), error.value());
  }
  ::fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC);
  accept();
  return {};
}

void Listener::accept() {
  acceptor_.async_accept([this](const ErrorCode& error, Connection::Socket socket) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (!error) {
      refused_ = false;
      take(std::move(socket));
      return accept();
    }
    // No descriptors left, most likely; soon there may be some.
    if (!std::exchange(refused_, true)) {
      log::warning("control.accept_failed", {{"reason", error.message()}});
    }
    again_.expires_after(kAcceptAgain);
    again_.async_wait([this](const ErrorCode& stopped) {
      if (!stopped) accept();
    });
  });
}

void Listener::take(Connection::Socket socket) {
  ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
  const bool busy = clients_.size() >= maxClients_;
  // Those who are told so must not be without number either.
  if (clients_.size() >= 2 * maxClients_) return;
  const auto client = make_(std::move(socket), busy);
  clients_.insert(client);
  client->start([this, key = client.get()] {
    std::erase_if(clients_, [key](const auto& other) { return other.get() == key; });
  });
}

void Listener::close() {
  ErrorCode ignored;
  acceptor_.close(ignored);
  again_.cancel();
  for (const auto& client : std::exchange(clients_, {})) client->close();
}

}  // namespace l4ward::control
