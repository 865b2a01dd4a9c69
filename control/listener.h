// Takes a server's clients in, at most so many at a time. Lives on one loop.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <set>

#include "base/asio.h"
#include "base/result.h"
#include "control/connection.h"

namespace l4ward::control {

class Listener {
 public:
  using Protocol = asio::generic::stream_protocol;
  // What to do with a client; beyond the limit there is room for a word of regret only.
  using Make = std::function<std::shared_ptr<Connection>(Connection::Socket, bool busy)>;

  Listener(asio::io_context& loop, std::size_t maxClients, Make make)
      : acceptor_(loop), again_(loop), maxClients_(maxClients), make_(std::move(make)) {}

  // Binds. Nobody can connect before start().
  l4ward::Status open(const Protocol::endpoint& endpoint);
  l4ward::Status start();
  // Disconnects everybody.
  void close();

 private:
  void accept();
  void take(Connection::Socket socket);

  asio::basic_socket_acceptor<Protocol> acceptor_;
  asio::steady_timer again_;
  bool refused_ = false;  // the last accept() failed, and that was logged
  const std::size_t maxClients_;
  Make make_;
  std::set<std::shared_ptr<Connection>> clients_;
};

}  // namespace l4ward::control
