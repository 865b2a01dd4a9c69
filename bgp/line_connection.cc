#include "bgp/line_connection.h"

#include <utility>

namespace l4ward::bgp {
namespace {

constexpr int kMostChunks = 64;  // before others have their turn

}  // namespace

std::shared_ptr<LineConnection> LineConnection::open(Socket socket, Limits limits, Events events) {
  auto connection = std::make_shared<LineConnection>(std::move(socket), limits, std::move(events));
  ErrorCode ignored;
  connection->socket_.non_blocking(true, ignored);
  connection->waitForMore();
  return connection;
}

LineConnection::LineConnection(Socket socket, Limits limits, Events events)
    : socket_(std::move(socket)),
      limits_(limits),
      events_(std::move(events)),
      lines_(limits.line),
      chunk_(16384, '\0') {}

// Nothing is read behind readNow()'s back, or lines would change places.
void LineConnection::waitForMore() {
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const ErrorCode& error) {
    if (error || !self->socket_.is_open()) return;
    self->readNow();
    if (self->socket_.is_open()) self->waitForMore();
  });
}

void LineConnection::readNow() {
  const auto self = shared_from_this();  // an event may drop the last other one
  for (int chunk = 0; chunk < kMostChunks && socket_.is_open(); ++chunk) {
    ErrorCode error;
    const std::size_t bytes = socket_.read_some(asio::buffer(chunk_), error);
    if (error == asio::error::would_block || error == asio::error::try_again) return;
    if (error == asio::error::interrupted) continue;
    if (error) return end(error == asio::error::eof ? "closed by the peer" : error.message());
    lines_.feed(std::string_view(chunk_.data(), bytes));
    while (auto line = lines_.next()) {
      events_.line(*line);
      if (!socket_.is_open()) return;
    }
    if (lines_.overlong() > 0) return end("a line is too long");
  }
}

void LineConnection::send(const std::string& text) {
  if (!socket_.is_open()) return;
  unsent_ += text;
  if (!waiting_) writeMore();
  // Closing here would call back into the sender, so the loop does it.
  if (unsent_.size() <= limits_.unsent) return;
  asio::post(socket_.get_executor(),
             [self = shared_from_this()] { self->end("the peer does not read"); });
}

void LineConnection::writeMore() {
  while (!unsent_.empty()) {
    ErrorCode error;
    const std::size_t sent = socket_.write_some(asio::buffer(unsent_), error);
    unsent_.erase(0, sent);
    if (error == asio::error::interrupted) continue;
    if (error == asio::error::would_block || error == asio::error::try_again) break;
    if (error) return unsent_.clear();  // the read side reports the end
  }
  if (unsent_.empty()) return;
  waiting_ = true;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const ErrorCode& error) {
    self->waiting_ = false;
    if (!error && self->socket_.is_open()) self->writeMore();
  });
}

void LineConnection::end(const std::string& why) {
  if (!socket_.is_open()) return;
  const auto closed = std::move(events_.closed);
  close();
  if (closed) closed(why);
}

void LineConnection::close() {
  ErrorCode ignored;
  socket_.close(ignored);
}

}  // namespace l4ward::bgp
