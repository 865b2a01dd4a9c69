#include "healthcheck/runner.h"

#include <algorithm>
#include <utility>

namespace l4ward::healthcheck {

Runner::Runner(Shared& shared, Job job)
    : shared_(shared),
      job_(std::move(job)),
      random_(static_cast<std::minstd_rand::result_type>(job_.id)),
      timer_(shared.agenda, [this] { onTimer(); }) {}

Millis Runner::interval() const {
  return currentInterval(job_, pace_);
}

void Runner::start(TimePoint first) {
  setTimer(first);
}

void Runner::stop() {
  timer_.cancel();
  if (const auto attempt = std::exchange(attempt_, nullptr)) attempt->cancel();
}

void Runner::setPace(Pace pace) {
  if (std::exchange(pace_, pace) == pace) return;
  if (attempt_ || !probedOnce_) return;
  setTimer(std::max(planned_ + interval(), Clock::now()));
}

void Runner::setTimer(TimePoint at) {
  timerAt_ = at;
  timer_.set(at);
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
  if (const auto prepared = prepare(); !prepared) return finish(notMade(prepared.error().message));
  const auto attempt = attempt_ = attempts_->make();
  attempt->start([this](Judgement judgement) { finish(std::move(judgement)); });
}

// What all probes of the job need; tried again at each probe until it can be had.
Status Runner::prepare() {
  if (attempts_) return {};
  auto made = makeAttempts(shared_.attempts, job_.probe);
  if (!made) return tl::unexpected(made.error());
  attempts_ = *std::move(made);
  attempts_->watch([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && !self->attempt_ && self->probedOnce_) self->setTimer(Clock::now());
  });
  return {};
}

// What had arrived by now was read before the timers' turn came. Much later than planned, though,
// this thread or the whole node stood still, and the server may have had no chance.
void Runner::onDeadline() {
  const auto late = Clock::now() - timerAt_;
  if (!stoodStill(late, job_.probe.timeout)) return finish(attempt_->timedOut());
  finish(notMade("this node stood still: the deadline was noticed " +
                 formatDuration(std::chrono::floor<Millis>(late)) + " late"));
}

// Waking the thread that listens costs more than many a probe.
bool Runner::isNews(const Judgement& judgement) {
  if (job_.quietAfter == 0) return true;
  repeats_ = last_ == judgement ? std::min(repeats_ + 1, job_.quietAfter) : 0;
  if (repeats_ == 0) last_ = judgement;
  return repeats_ < job_.quietAfter;
}

void Runner::finish(Judgement judgement) {
  if (const auto attempt = std::exchange(attempt_, nullptr)) attempt->cancel();
  const TimePoint now = Clock::now();
  setTimer(nextStart(planned_, jittered(interval(), static_cast<std::uint32_t>(random_())),
                     job_.probe.timeout, now, shared_.step));
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  const auto latency = duration_cast<microseconds>(now - started_);
  const auto late = duration_cast<microseconds>(started_ - planned_);
  tally_.add(judgement, latency, now);
  shared_.lateness.add(std::chrono::duration<double>(late).count());
  if (!isNews(judgement)) return;
  shared_.sink({job_.id, judgement.answer, judgement.kind, std::move(judgement.reason),
                std::move(judgement.warning), judgement.weight, latency, late, now});
}

}  // namespace l4ward::healthcheck
