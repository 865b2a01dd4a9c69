// Small real servers for the prober's tests: each connection plays a script on a thread of its own.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/ip.h"
#include "base/unique_fd.h"

namespace l4ward::healthcheck {

// One accepted connection. All calls return at once, or early, when the server stops.
class Connection {
 public:
  Connection(UniqueFd socket, int stopEvent) : socket_(std::move(socket)), stopEvent_(stopEvent) {}

  // Reads up to the empty line; what was read.
  std::string readRequest();
  // False when the peer has gone.
  bool send(std::string_view bytes);
  // Until the peer closes or resets.
  void waitForClose();
  // False if the server stops meanwhile.
  bool pause(Millis time);
  // Closes with a reset, or only the sending half.
  void reset();
  void halfClose();
  IpAddress peer() const;

 private:
  bool waitReadable();

  UniqueFd socket_;
  int stopEvent_;
};

using Script = std::function<void(Connection&)>;

class TestServer {
 public:
  TestServer(Family family, Script script);
  ~TestServer();

  const Endpoint& endpoint() const { return endpoint_; }
  unsigned accepted() const { return accepted_; }

 private:
  void acceptAll();

  Script script_;
  Endpoint endpoint_;  // set while listener_ is initialised
  UniqueFd listener_;
  UniqueFd stopEvent_;
  std::atomic<unsigned> accepted_{0};
  std::list<std::jthread> connections_;  // the accepting thread's
  std::jthread thread_;
};

// A bound socket of the family's loopback: listens if `backlog` is given, else refuses.
UniqueFd bindLoopback(Family family, std::optional<int> backlog, Endpoint& bound);

bool hasIpv6();

// Scripts.
Script answer(std::string text);           // reads the request, answers, waits for the close
Script answerWithLength(unsigned status);  // a complete answer; the connection stays open

}  // namespace l4ward::healthcheck
