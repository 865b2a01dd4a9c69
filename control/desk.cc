#include "control/desk.h"

#include <utility>

namespace l4ward::control {

void Desk::status(Millis limit, StatusDone done) {
  const auto id = ++lastId_;
  auto& waiter = waiters_.emplace(id, Waiter{asio::steady_timer(*loop_, limit), std::move(done)})
                     .first->second;
  waiter.limit.async_wait([this, id](const ErrorCode& stopped) {
    if (stopped) return;
    if (const auto late = waiters_.extract(id)) late.mapped().done(nullptr);
  });
  if (std::exchange(asked_, true)) return;
  // What is posted never runs once the server is gone, so `this` is safe there.
  backend_.status([this, loop = loop_](std::shared_ptr<const NodeStatus> status) {
    asio::post(*loop, [this, status = std::move(status)] { arrived(status); });
  });
}

void Desk::arrived(std::shared_ptr<const NodeStatus> status) {
  asked_ = false;
  auto snapshot = latest_.lock();
  if (status == nullptr) {
    snapshot = nullptr;
  } else if (snapshot == nullptr || snapshot->status() != status) {
    snapshot = std::make_shared<Snapshot>(std::move(status));
    latest_ = snapshot;
  }
  // Whoever is called may ask again.
  for (auto& [id, waiter] : std::exchange(waiters_, {})) waiter.done(snapshot);
}

void Desk::ask(const Request& request, const Peer& peer, ReplyDone done) {
  const auto id = ++lastId_;
  auto& call = calls_.emplace(id, Call{asio::steady_timer(*loop_, patience_), std::move(done)})
                   .first->second;
  call.limit.async_wait([this, id](const ErrorCode& stopped) {
    if (stopped) return;
    finish(id, tl::unexpected(Refusal{"timeout", "the agent does not answer",
                                      "see its log: journalctl -u l4ward"}));
  });
  backend_.handle(request, peer, [this, id, loop = loop_](Reply reply) {
    asio::post(*loop, [this, id, reply = std::move(reply)] { finish(id, reply); });
  });
}

void Desk::finish(std::uint64_t id, const Reply& reply) {
  if (const auto call = calls_.extract(id)) call.mapped().done(reply);
}

void Desk::close() {
  waiters_.clear();
  calls_.clear();
}

}  // namespace l4ward::control
