#include "control/connection.h"

#include <utility>

namespace l4ward::control {
namespace {

constexpr int kIdlePatience = 6;  // times longer than for a request: Prometheus asks each minute
constexpr std::size_t kSpare = 65536;  // bytes of an empty buffer that are worth keeping
constexpr Millis kLinger{1000};

}  // namespace

Connection::Connection(Socket socket, Millis patience)
    : socket_(std::move(socket)), patience_(patience), deadline_(socket_.get_executor()) {}

void Connection::start(std::function<void()> closed) {
  closed_ = std::move(closed);
  proceed();
}

void Connection::close() {
  if (!socket_.is_open()) return;
  ErrorCode ignored;
  socket_.close(ignored);
  deadline_.cancel();
  unsentPieces_.clear();
  end();
  if (const auto closed = std::exchange(closed_, nullptr)) closed();
}

void Connection::arm(Millis time) {
  deadline_.expires_after(time);
  deadline_.async_wait([self = shared_from_this()](const ErrorCode& stopped) {
    // It may have been armed again when this was on its way already.
    if (!stopped && self->deadline_.expiry() <= Clock::now()) self->close();
  });
}

void Connection::proceed() {
  const auto self = shared_from_this();  // the last other one may go with close()
  switch (work()) {
    case Next::read:
      if (ended_) return close();
      limitReading();
      return read();
    case Next::wait:
      answered_ = true;
      begun_ = false;
      if (unsentPieces_.empty()) deadline_.cancel();  // the answer has one of its own
      return;
    case Next::follow:
      following_ = true;
      input_ = {};
      if (unsentPieces_.empty()) deadline_.cancel();
      return watch();
  }
}

// A request that has begun keeps its deadline, however slowly its bytes come.
void Connection::limitReading() {
  if (input_.empty()) {
    if (input_.capacity() > kSpare) input_ = {};
    begun_ = false;
    arm(answered_ ? patience_ * kIdlePatience : patience_);
  } else if (!std::exchange(begun_, true)) {
    arm(patience_);
  }
}

void Connection::read() {
  socket_.async_read_some(asio::buffer(chunk_),
                          [self = shared_from_this()](const ErrorCode& error, std::size_t bytes) {
                            if (!self->isOpen()) return;
                            if (error && error != asio::error::eof) return self->close();
                            self->ended_ = error == asio::error::eof;
                            self->input_.append(self->chunk_.data(), bytes);
                            self->proceed();
                          });
}

void Connection::send(std::string bytes) {
  const auto owner = std::make_shared<const std::string>(std::move(bytes));
  send(owner, *owner);
}

void Connection::send(std::shared_ptr<const void> owner, std::string_view bytes) {
  if (!socket_.is_open() || bytes.empty()) return;
  unsent_ += bytes.size();
  unsentPieces_.push_back({std::move(owner), bytes});
  if (unsentPieces_.size() == 1) write();
}

void Connection::write() {
  arm(patience_);
  const auto bytes = unsentPieces_.front().bytes;
  socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()),
                           [self = shared_from_this()](const ErrorCode& error, std::size_t taken) {
                             if (!self->isOpen()) return;
                             if (error) return self->close();
                             self->unsent_ -= taken;
                             auto& front = self->unsentPieces_.front();
                             front.bytes.remove_prefix(taken);
                             if (front.bytes.empty()) self->unsentPieces_.pop_front();
                             self->unsentPieces_.empty() ? self->sent() : self->write();
                           });
}

void Connection::sent() {
  deadline_.cancel();
  if (closing_) return linger();
  if (!following_) proceed();
}

// A client may go without a word being sent to it for hours.
void Connection::watch() {
  discard([self = shared_from_this()] {
    self->socket_.async_wait(Socket::wait_error, [self](const ErrorCode& error) {
      if (!error) self->close();
    });
  });
}

// To close with bytes unread would take the answer away from a client that is still sending.
void Connection::linger() {
  ErrorCode ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  arm(kLinger);
  discard([self = shared_from_this()] { self->close(); });
}

void Connection::discard(std::function<void()> atEnd) {
  if (!isOpen()) return;
  if (ended_) return atEnd();
  socket_.async_read_some(asio::buffer(chunk_),
                          [self = shared_from_this(), atEnd = std::move(atEnd)](
                              const ErrorCode& error, std::size_t) mutable {
                            if (error && error != asio::error::eof) return self->close();
                            self->ended_ = error == asio::error::eof;
                            self->discard(std::move(atEnd));
                          });
}

}  // namespace l4ward::control
