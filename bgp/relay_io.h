// The I/O of l4ward-exabgp around RelayState: standard input and output (ExaBGP), the socket (the
// agent), the record file and the clock. Lives on one loop; not thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include "base/asio.h"
#include "base/backoff.h"
#include "bgp/line_buffer.h"
#include "bgp/line_connection.h"
#include "bgp/relay_state.h"

namespace l4ward::bgp {

class RelayIo {
 public:
  RelayIo(asio::io_context& loop, std::string socketPath, std::string recordPath);

  // Runs until the loop is stopped: at the end of standard input, or when ExaBGP does not answer.
  void start();
  int exitStatus() const { return exitStatus_; }

 private:
  void waitForInput();
  bool readInput();
  void connectAgent();
  void agentGone(const std::string& why);
  void agentLine(const std::string& line);
  void pump();
  bool listen();
  TimePoint time() const;
  void armTimer();
  void writeRecord(const RelayRecord& record);
  void queueLines(const std::vector<std::string>& lines);
  void writeOutput();
  void quit(int status);

  asio::io_context& loop_;
  const std::string socketPath_;
  const std::string recordPath_;
  RelayState state_;
  asio::posix::stream_descriptor input_;
  asio::posix::stream_descriptor output_;
  asio::steady_timer timer_;
  TimePoint due_ = TimePoint::max();  // when timer_ is to fire
  TimePoint now_;                     // of the last pump()
  bool listening_ = false;
  asio::steady_timer reconnect_;
  Backoff backoff_{Millis(50), Millis(1000)};
  LineBuffer replies_{std::size_t{64} << 10};
  std::string chunk_;
  std::deque<std::string> blocks_;  // whole lines; each is written at once or not yet
  bool outputWaits_ = false;
  std::shared_ptr<LineConnection> agent_;
  bool recordFails_ = false;
  int exitStatus_ = 0;
};

}  // namespace l4ward::bgp
