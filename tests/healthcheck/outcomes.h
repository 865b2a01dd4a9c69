// Collects a prober's outcomes and waits for them; jobs for tests.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <vector>

#include "healthcheck/prober.h"

namespace l4ward::healthcheck {

// Far beyond what a loaded machine needs: reached only by a defect.
inline constexpr Millis patience{20000};

class Outcomes {
 public:
  Prober::Sink sink() {
    return [this](Outcome outcome) {
      const std::lock_guard lock(mutex_);
      all_.push_back(std::move(outcome));
      changed_.notify_all();
    };
  }

  std::vector<Outcome> of(std::uint64_t id) const {
    const std::lock_guard lock(mutex_);
    return pick(id);
  }

  // The first `count` outcomes of the job; throws when they do not come.
  std::vector<Outcome> waitFor(std::uint64_t id, std::size_t count) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [&] { return pick(id).size() >= count; })) {
      throw std::runtime_error("outcomes did not come");
    }
    auto found = pick(id);
    found.resize(count);
    return found;
  }

  void forget() {
    const std::lock_guard lock(mutex_);
    all_.clear();
  }

 private:
  std::vector<Outcome> pick(std::uint64_t id) const {
    std::vector<Outcome> found;
    for (const auto& outcome : all_) {
      if (outcome.target == id) found.push_back(outcome);
    }
    return found;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Outcome> all_;
};

inline Probe httpProbe(const Endpoint& target, Millis timeout = patience) {
  Probe probe;
  probe.target = target;
  probe.timeout = timeout;
  probe.how = HttpProbe{.path = "/healthcheck", .drain = {{404, 404}}};
  return probe;
}

inline Probe tcpProbe(const Endpoint& target, Millis timeout = patience) {
  Probe probe = httpProbe(target, timeout);
  probe.how = TcpProbe{};
  return probe;
}

inline Job makeJob(std::uint64_t id, Probe probe, Millis interval) {
  return {id, std::move(probe), interval, interval};
}

// The first outcome of this probe.
inline Outcome probeOnce(const Probe& probe) {
  Outcomes outcomes;
  Prober prober(outcomes.sink());
  prober.setJobs({makeJob(1, probe, patience)});
  return outcomes.waitFor(1, 1).front();
}

}  // namespace l4ward::healthcheck
