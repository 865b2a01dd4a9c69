// Repeats one job's probe in its rhythm. All on the io_context's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <random>

#include "base/asio.h"
#include "base/clock.h"
#include "healthcheck/agenda.h"
#include "healthcheck/attempt.h"
#include "healthcheck/job.h"
#include "healthcheck/schedule.h"
#include "healthcheck/state.h"
#include "healthcheck/tally.h"

namespace l4ward::healthcheck {

class Runner : public std::enable_shared_from_this<Runner> {
 public:
  struct Shared {
    Attempts::Shared attempts;
    std::function<void(Outcome)> sink;
    Agenda agenda{attempts.io};
    Millis step{1};  // startStep() of all jobs
    SecondsHistogram lateness = {};
  };

  // `shared` must outlive the runner.
  Runner(Shared& shared, Job job);

  const Job& job() const { return job_; }
  const Tally& tally() const { return tally_; }
  // The first probe starts at `first`.
  void start(TimePoint first);
  // Ends the probe that runs, without outcome, and makes no more.
  void stop();
  void setPace(Pace pace);

 private:
  Millis interval() const;
  void setTimer(TimePoint at);
  void onTimer();
  void probe();
  Status prepare();
  void onDeadline();
  void finish(Judgement judgement);
  bool isNews(const Judgement& judgement);

  Shared& shared_;
  const Job job_;
  std::unique_ptr<Attempts> attempts_;  // null: could not be prepared yet
  Pace pace_ = Pace::normal;
  std::minstd_rand random_;
  bool probedOnce_ = false;
  Tally tally_;
  std::optional<Judgement> last_;
  unsigned repeats_ = 0;  // of it, so far
  TimePoint planned_{};   // the last probe's start as planned, the rhythm's anchor
  TimePoint started_{};   // the same as it was
  // One for both: the deadline while an attempt is under way, else the next start.
  Appointment timer_;
  TimePoint timerAt_{};
  std::shared_ptr<Attempt> attempt_;
};

}  // namespace l4ward::healthcheck
