#include "healthcheck/runner.h"

#include <algorithm>
#include <utility>

#include "healthcheck/http_probe.h"
#include "healthcheck/schedule.h"

namespace l4ward::healthcheck {
namespace {

std::string requestOf(const Probe& probe) {
  const auto* http = std::get_if<HttpProbe>(&probe.how);
  return http ? buildRequest(*http, probe.target) : std::string();
}

}  // namespace

Runner::Runner(Shared& shared, Job job)
    : shared_(shared), job_(std::move(job)), request_(requestOf(job_.probe)), timer_(shared.io) {}

Millis Runner::interval() const {
  return currentInterval(job_, pending_);
}

void Runner::start(TimePoint first) {
  setTimer(first);
}

void Runner::stop() {
  ++timerTurn_;
  timer_.cancel();
  if (const auto attempt = std::exchange(attempt_, nullptr)) attempt->cancel();
}

void Runner::setPending(bool pending) {
  if (std::exchange(pending_, pending) == pending) return;
  if (attempt_ || !probedOnce_) return;
  setTimer(std::max(planned_ + interval(), Clock::now()));
}

void Runner::setTimer(TimePoint at) {
  timerAt_ = at;
  timer_.expires_at(at);
  timer_.async_wait([self = shared_from_this(), turn = ++timerTurn_](const ErrorCode&) {
    if (turn == self->timerTurn_) self->onTimer();
  });
}

void Runner::onTimer() {
  if (attempt_) return onDeadline();
  const auto start = startOrSkip(timerAt_, interval(), Clock::now());
  if (start != timerAt_) return setTimer(start);
  probe();
}

void Runner::probe() {
  probedOnce_ = true;
  planned_ = timerAt_;
  started_ = Clock::now();
  setTimer(started_ + job_.probe.timeout);
  const auto attempt =
      std::make_shared<Attempt>(shared_.io, Attempt::Plan{job_.probe, request_, shared_.scratch},
                                [this](Judgement judgement) { finish(std::move(judgement)); });
  attempt_ = attempt;
  attempt->start();
}

// What had arrived by now was read before the timers' turn came. Much later than planned, though,
// this thread or the whole node stood still, and the server may have had no chance.
void Runner::onDeadline() {
  const auto late = Clock::now() - timerAt_;
  if (!stoodStill(late, job_.probe.timeout)) return finish(attempt_->timedOut());
  finish(notMade("this node stood still: the deadline was noticed " +
                 formatDuration(std::chrono::floor<Millis>(late)) + " late"));
}

void Runner::finish(Judgement judgement) {
  if (const auto attempt = std::exchange(attempt_, nullptr)) attempt->cancel();
  const TimePoint now = Clock::now();
  setTimer(nextStart(planned_, interval(), job_.probe.timeout, now));
  shared_.sink({job_.id, judgement.answer, judgement.kind, std::move(judgement.reason),
                std::chrono::duration_cast<std::chrono::microseconds>(now - started_), now});
}

}  // namespace l4ward::healthcheck
