#include <algorithm>

#include "import/checks.h"

namespace l4ward::keepalived {
namespace {

using namespace std::chrono_literals;

constexpr Millis kShortest{10};
constexpr Millis kLongest = 1h;
constexpr std::uint32_t kMaxFall = 100;

template <typename T>
std::optional<Given<T>> either(const std::optional<Given<T>>& inner,
                               const std::optional<Given<T>>& outer) {
  return inner ? inner : outer;
}

// The nearest that a check can have, at most `limit`; says if that is another.
Millis fit(const Given<Micros>& given, Millis limit, const char* limitText, Report& report) {
  given.node->useful = true;
  const auto rounded = std::chrono::round<Millis>(given.value);
  const auto fitted = std::clamp(rounded, std::min(kShortest, limit), limit);
  if (fitted != given.value) {
    report.add(*given.node, {Level::changed,
                             "a check has " + formatDuration(fitted) +
                                 ": whole milliseconds from 10ms to " + limitText,
                             "see that it fits"});
  }
  return fitted;
}

void setFall(const Timing& timing, unsigned otherwise, Report& report, config::Check& check) {
  check.fall = otherwise + 1;
  if (!timing.retry) return;
  timing.retry->node->useful = true;
  check.fall = std::min(timing.retry->value, kMaxFall - 1) + 1;
  if (timing.retry->value < kMaxFall) return;
  report.add(*timing.retry->node, {Level::changed, "`fall` is at most 100", "see that it fits"});
}

}  // namespace

Timing Timing::within(const Timing& outer) const {
  return {either(delayLoop, outer.delayLoop), either(connectTimeout, outer.connectTimeout),
          either(delayBeforeRetry, outer.delayBeforeRetry), either(retry, outer.retry)};
}

Timing readTiming(const Section& section, std::uint32_t minRetry) {
  return {section.timer("delay_loop"), section.timer("connect_timeout"),
          section.timer("delay_before_retry"), section.number("retry", minRetry, 4294967295)};
}

void sayUseless(const Timing& timing, Report& report) {
  for (const auto& timer : {timing.delayLoop, timing.connectTimeout, timing.delayBeforeRetry}) {
    if (timer && !timer->node->useful) {
      report.add(*timer->node, {Level::note, "no check in this block goes by it"});
    }
  }
  if (timing.retry && !timing.retry->node->useful) {
    report.add(*timing.retry->node, {Level::note, "no check in this block goes by it"});
  }
}

void setTiming(const Timing& timing, const TimingDefaults& defaults,
               const std::optional<Given<Micros>>& timeout, Report& report, config::Check& check) {
  check.interval = timing.delayLoop ? fit(*timing.delayLoop, kLongest, "1h", report) : Millis(60s);
  check.downInterval = check.interval;
  check.rise = 1;
  setFall(timing, defaults.retry, report, check);
  check.timeout = timeout ? fit(*timeout, check.interval, "the interval", report)
                          : std::min<Millis>(5s, check.interval);
  // Without a retry there is never a pending change, and so no fast interval.
  const auto retryDelay = std::chrono::round<Millis>(defaults.delayBeforeRetry);
  check.fastInterval = std::min(retryDelay, check.interval);
  if (timing.delayBeforeRetry && check.fall > 1) {
    check.fastInterval = fit(*timing.delayBeforeRetry, check.interval, "the interval", report);
  }
}

}  // namespace l4ward::keepalived
