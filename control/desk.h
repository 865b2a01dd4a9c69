// Asks the agent, on behalf of the server's clients, and waits no longer than it should. Lives on
// the server's loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "base/asio.h"
#include "base/clock.h"
#include "control/backend.h"
#include "control/snapshot.h"

namespace l4ward::control {

class Desk {
 public:
  // The backend's replies keep the loop alive, for they may come when the server is gone.
  Desk(std::shared_ptr<asio::io_context> loop, Backend& backend, Millis patience)
      : loop_(std::move(loop)), backend_(backend), patience_(patience) {}

  using StatusDone = std::function<void(const std::shared_ptr<Snapshot>&)>;
  // Without an answer within `limit`: nullptr. One question to the agent serves all who wait.
  void status(Millis limit, StatusDone done);
  void status(StatusDone done) { status(patience_, std::move(done)); }

  using ReplyDone = std::function<void(const Reply&)>;
  // Without an answer in time: a Refusal of code "timeout".
  void ask(const Request& request, const Peer& peer, ReplyDone done);

  // Nobody is called any more.
  void close();

 private:
  struct Waiter {
    asio::steady_timer limit;
    StatusDone done;
  };
  struct Call {
    asio::steady_timer limit;
    ReplyDone done;
  };
  void arrived(std::shared_ptr<const NodeStatus> status);
  void finish(std::uint64_t id, const Reply& reply);

  std::shared_ptr<asio::io_context> loop_;
  Backend& backend_;
  Millis patience_;
  std::uint64_t lastId_ = 0;
  bool asked_ = false;  // for the status
  std::weak_ptr<Snapshot> latest_;
  std::map<std::uint64_t, Waiter> waiters_;
  std::map<std::uint64_t, Call> calls_;
};

}  // namespace l4ward::control
