#include "healthcheck/schedule.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/hash.h"

namespace l4ward::healthcheck {
namespace {

constexpr Clock::duration firstProbesWithin = std::chrono::seconds(1);
constexpr Clock::duration standstill = std::chrono::seconds(1);

// FNV's high bits hardly depend on the last bytes, and ranks are compared high bits first: this
// spreads them. MurmurHash3's finalizer.
std::uint64_t mixed(std::uint64_t h) {
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdULL;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return h ^ (h >> 33);
}

// The largest power of two from 1 to 16 that is at most that.
Millis powerOfTwo(Millis::rep most) {
  return Millis(std::bit_floor(static_cast<std::uint64_t>(std::clamp<Millis::rep>(most, 1, 16))));
}

TimePoint inStep(TimePoint due, Clock::duration step) {
  const auto since = due.time_since_epoch() + step / 2;
  return TimePoint(since - since % step);
}

// The first turn of the rhythm at or behind `now`.
TimePoint nextTurn(TimePoint turn, Clock::duration interval, TimePoint now) {
  const Clock::duration step = std::max<Clock::duration>(interval, Millis(1));
  const auto missed = (now - turn + step - Clock::duration(1)) / step;
  return turn + missed * step;
}

}  // namespace

std::uint64_t identity(const Probe& probe) {
  return mixed(fnv1a(fingerprint(probe)));
}

std::vector<Clock::duration> firstDelays(const std::vector<Job>& jobs) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> keys;  // the id settles equal probes
  for (const auto& job : jobs) keys.emplace_back(identity(job.probe), job.id);
  std::vector<std::size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return keys[a] < keys[b]; });

  std::vector<Clock::duration> delays(jobs.size());
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const Clock::duration window =
        std::min<Clock::duration>(jobs[order[rank]].interval, firstProbesWithin);
    delays[order[rank]] = window * rank / order.size();
  }
  return delays;
}

Millis currentInterval(const Job& job, Pace pace) {
  switch (pace) {
    case Pace::fast:
      return std::min(job.fastInterval, job.interval);
    case Pace::down:
      return job.downInterval;
    case Pace::normal:
      break;
  }
  return job.interval;
}

Clock::duration jittered(Millis interval, std::uint32_t random) {
  const Clock::duration most = Clock::duration(interval) / 16;
  return interval - most + 2 * most * (random % 1024) / 1023;
}

TimePoint nextStart(TimePoint planned, Clock::duration interval, Millis timeout, TimePoint now,
                    Millis step) {
  const TimePoint due =
      inStep(planned + interval, std::min(step, powerOfTwo(interval / Millis(32))));
  if (now <= due) return due;
  if (now - due <= timeout) return now;
  return nextTurn(due, interval, now);
}

Millis startStep(const std::vector<Job>& jobs) {
  double eachMilli = 0;  // probes
  for (const auto& job : jobs) {
    eachMilli += 1.0 / static_cast<double>(std::max(job.interval, Millis(1)).count());
  }
  return powerOfTwo(std::lround(std::min(2.0 / std::max(eachMilli, 1e-6), 16.0)));
}

bool stoodStill(Clock::duration late, Millis timeout) {
  return late > std::max<Clock::duration>(timeout, standstill);
}

TimePoint startOrSkip(TimePoint due, Millis interval, TimePoint now) {
  return now - due < interval ? due : nextTurn(due, interval, now);
}

}  // namespace l4ward::healthcheck
