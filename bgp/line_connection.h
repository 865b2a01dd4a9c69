// One end of the unix socket between agent and relay: lines in, lines out, both bounded, so that a
// slow or hostile peer costs at most `Limits` of memory. Lives on one loop; not thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "base/asio.h"
#include "bgp/line_buffer.h"

namespace l4ward::bgp {

class LineConnection : public std::enable_shared_from_this<LineConnection> {
 public:
  using Socket = asio::local::stream_protocol::socket;
  struct Limits {
    std::size_t line;    // bytes of one incoming line
    std::size_t unsent;  // bytes that wait for the peer to read
  };
  struct Events {
    std::function<void(const std::string&)> line;
    std::function<void(std::string why)> closed;  // by the peer or a limit; the last event
  };

  static std::shared_ptr<LineConnection> open(Socket socket, Limits limits, Events events);
  // For open() only.
  LineConnection(Socket socket, Limits limits, Events events);

  // `text`: whole lines with their ends. What the kernel takes at once is sent on return, also
  // when close() follows.
  void send(const std::string& text);
  void close();  // no event comes after it
  // Hands out what has arrived by now (all of it, up to 1 MiB) before it returns.
  void readNow();

 private:
  void waitForMore();
  void writeMore();
  void end(const std::string& why);

  Socket socket_;
  Limits limits_;
  Events events_;
  LineBuffer lines_;
  std::string chunk_;
  std::string unsent_;
  bool waiting_ = false;  // for the socket to take more
};

}  // namespace l4ward::bgp
