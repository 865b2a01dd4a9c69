// Makes the probes, on a thread of its own. The methods may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "healthcheck/job.h"
#include "healthcheck/schedule.h"
#include "healthcheck/state.h"
#include "healthcheck/tally.h"

namespace l4ward::healthcheck {

class Prober {
 public:
  // Called on the prober's thread, once for each probe that ended; never after the destructor
  // returned. It should only post the outcome elsewhere, and must not destroy the prober.
  using Sink = std::function<void(Outcome)>;

  // Throws std::system_error if there is no thread or descriptor to be had.
  explicit Prober(Sink sink);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // The jobs from now on, with ids that differ. A job that is equal to one that runs goes on
  // undisturbed; one with a known id and other contents starts anew; one that is no longer listed
  // ends, without outcome. The first probes of new jobs are spread evenly over the first second or
  // the interval, whichever is shorter, in an order that does not depend on the ids' order. Two
  // probes of one job are never under way together.
  void setJobs(std::vector<Job> jobs);

  // Which of the job's intervals follows. Takes effect at once: the next probe is brought forward,
  // or put off. Unknown ids are ignored.
  void setPace(std::uint64_t id, Pace pace);

  // Of the jobs that there are; each counts from its start. Nothing if the prober's thread has not
  // answered after `patience`. Not from within the sink.
  std::optional<Tallies> tallies(Millis patience);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace l4ward::healthcheck
