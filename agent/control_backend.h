// Answers the control server (control/backend.h): asks the agent's loop for copies of what it
// knows, and does all that takes time on a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/controlled.h"
#include "agent/shares.h"
#include "base/asio.h"
#include "base/clock.h"
#include "control/backend.h"

namespace l4ward::agent {

class ControlBackend final : public control::Backend {
 public:
  using Now = std::function<TimePoint()>;

  // `agent` must outlive it. Throws std::system_error if there is no thread to be had.
  explicit ControlBackend(Controlled& agent, Now now = Clock::now);
  // Waits for what its thread is at; replies that are due are not given any more. Not while the
  // loop runs something that it posted there: on the loop's thread, or when the loop has ended.
  ~ControlBackend() override;

  // At most kStatusAge old; changes by handle() are always in it.
  void status(StatusReply reply) override;
  void handle(const control::Request& request, const control::Peer& peer,
              std::function<void(control::Reply)> reply) override;

  static constexpr Millis kStatusAge{1000};
  // Of the agent's state for a look-up.
  static constexpr Millis kLookupAge{100};

 private:
  using ReplyTo = std::function<void(control::Reply)>;
  using SharedSnapshot = std::shared_ptr<const Snapshot>;

  void gather();
  void finish(const SharedSnapshot& snapshot, const ProcessState& process, std::uint64_t changes);
  std::shared_ptr<const control::NodeStatus> build(const Snapshot& snapshot,
                                                   const ProcessState& process);
  // Does `change` on the loop; statuses from before it are not given any more.
  void change(ReplyTo reply, std::function<control::Reply()> change);
  // Calls `answer` on the worker with what the agent knows.
  void look(Millis age, ReplyTo reply, std::function<control::Reply(const Snapshot&)> answer);
  control::Reply plan(const control::PlanRequest& request, const Snapshot& snapshot);
  control::Reply lookup(const control::LookupRequest& request, const Snapshot& snapshot);
  void config(ReplyTo reply);

  Controlled& agent_;
  Now now_;

  std::mutex mutex_;  // over the next five
  std::shared_ptr<const control::NodeStatus> status_;
  TimePoint statusAt_{};
  std::vector<StatusReply> waiting_;
  bool underWay_ = false;
  std::uint64_t changes_ = 0;

  SharedSnapshot recent_;  // the loop's

  // The worker's.
  Shares shares_;
  asio::thread_pool worker_;  // last: ends first
};

}  // namespace l4ward::agent
