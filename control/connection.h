// One client of the control server, on a unix or TCP socket: its bytes in, answers out, one request
// at a time. A client that neither reads nor writes in time is disconnected. Lives on one loop.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/asio.h"
#include "base/clock.h"

namespace l4ward::control {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = asio::generic::stream_protocol::socket;

  // `patience`: for a whole request, and for each piece of an answer that the client reads.
  Connection(Socket socket, Millis patience);
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // `closed` is called once, when nothing more is read or sent; not by the destructor.
  void start(std::function<void()> closed);
  void close();

 protected:
  enum class Next {
    read,    // more bytes are needed
    wait,    // until what was or will be sent is with the client
    follow,  // what the client sends is of no interest any more, only that it is there
  };
  // Looks at input(), takes from it what it deals with.
  virtual Next work() = 0;

  // Once, before it is reported as closed.
  virtual void end() {}

  std::string& input() { return input_; }
  // The client has sent its last byte.
  bool ended() const { return ended_; }
  // `owner` keeps the bytes.
  void send(std::shared_ptr<const void> owner, std::string_view bytes);
  void send(std::string bytes);
  std::size_t unsent() const { return unsent_; }
  // As soon as all is sent, and what it still sends does no harm.
  void closeWhenSent() { closing_ = true; }
  bool isOpen() const { return socket_.is_open(); }
  int handle() { return socket_.native_handle(); }
  Millis patience() const { return patience_; }

 private:
  struct Piece {
    std::shared_ptr<const void> owner;
    std::string_view bytes;
  };
  void proceed();
  void limitReading();
  void read();
  void write();
  void sent();
  void watch();
  void linger();
  void discard(std::function<void()> atEnd);
  void arm(Millis time);

  Socket socket_;
  const Millis patience_;
  asio::steady_timer deadline_;
  std::function<void()> closed_;
  std::array<char, 16384> chunk_{};
  std::string input_;
  std::deque<Piece> unsentPieces_;
  std::size_t unsent_ = 0;
  bool ended_ = false;
  bool begun_ = false;     // there is a part of a request
  bool answered_ = false;  // a request at least; before, the client has to hurry
  bool following_ = false;
  bool closing_ = false;
};

}  // namespace l4ward::control
