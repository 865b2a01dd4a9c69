// A Frontend with a made-up agent, and clients on plain sockets.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "control/frontend.h"
#include "tests/base/temporary_folder.h"

namespace l4ward::control::testing {

constexpr Millis kLong{10000};

class FakeBackend : public Backend {
 public:
  void status(StatusReply reply) override;
  void handle(const Request& request, const Peer& peer, std::function<void(Reply)> reply) override;

  std::shared_ptr<const NodeStatus> answer = std::make_shared<NodeStatus>();
  std::atomic<bool> silent{false};  // keeps what it is asked for release()
  std::atomic<int> asked{0};        // for the status
  std::atomic<int> handled{0};
  Peer lastPeer;  // of the last reply that was read
  void release();

 private:
  std::mutex mutex_;
  std::vector<StatusReply> kept_;
  std::vector<std::function<void(Reply)>> keptReplies_;
};

// A client whose calls end after kLong at the latest.
class Client {
 public:
  static Client toSocket(const std::string& path);
  static Client toPort(const Endpoint& endpoint);  // of IPv4

  bool connected() const { return static_cast<bool>(fd_); }
  // What the other side takes within `limit`.
  std::size_t send(std::string_view bytes, Millis limit = kLong);
  // Without its end; "" at the end of the stream.
  std::string line();
  // Up to the end of the stream.
  std::string rest();
  // One answer of HTTP, by its Content-Length.
  std::string httpAnswer(bool withBody = true);
  void endSending();
  // False if it does not within `limit`.
  bool closedWithin(Millis limit = kLong);
  // Without reading what is there to be read.
  bool isHungUp() const;

 private:
  bool readMore(Millis limit = kLong);

  UniqueFd fd_;
  std::string bytes_;
};

class FrontendTest : public ::testing::Test, protected TemporaryFolder {
 protected:
  void start(Frontend::Options options = {});
  Client client() const { return Client::toSocket(path()); }
  std::string path() const { return TemporaryFolder::path("control.sock"); }
  static bool until(const std::function<bool()>& condition);

  FakeBackend backend_;
  std::unique_ptr<Frontend> frontend_;
};

}  // namespace l4ward::control::testing
