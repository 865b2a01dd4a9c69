// Probes thousands of targets with moods for minutes, and looks for what only time shows: leaks,
// probes that are no longer made, and verdicts that do not follow from the answers.
//
//   bench_soak [--seconds 600] [--targets 5000] [--seed 1]
//
// A line every ten seconds; status 1 if anything is wrong. Growth is judged from 180 s on: the
// second minute against the last one.
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "agent/health.h"
#include "base/asio.h"
#include "bench/look_back.h"
#include "bench/moody_server.h"
#include "healthcheck/prober.h"

namespace l4ward::bench {
namespace {

using healthcheck::Answer;
using healthcheck::FailureKind;
using std::chrono::seconds;

constexpr seconds sampleEvery{10};
constexpr seconds warmUp{60};
constexpr seconds minute{60};
constexpr seconds judgedFrom{180};
// The longest interval, its jitter, the timeout, and what a busy machine adds.
constexpr seconds silentAfter{5};
constexpr unsigned shownMismatches = 5;

struct Options {
  unsigned seconds = 600;
  unsigned targets = 5000;
  std::uint64_t seed = 1;
};

struct Sample {
  Clock::duration at{};
  double descriptors = 0;
  double rssKib = 0;
};

struct Totals {
  std::uint64_t probes = 0;
  std::uint64_t changes = 0;
  std::uint64_t mismatches = 0;
  std::uint64_t passed = 0;
  std::uint64_t drained = 0;
  std::uint64_t badStatus = 0;
  std::uint64_t lost = 0;  // reset or closed
  std::uint64_t timeouts = 0;
  std::uint64_t others = 0;
  std::uint64_t local = 0;
};

double openDescriptors() {
  std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<double>(std::distance(begin(files), end(files)));
}

double rssKib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    double value = 0;
    if (word == "VmRSS:" && status >> value) return value;
  }
  throw std::runtime_error("no VmRSS in /proc/self/status");
}

// A probe has a socket at either end.
void allowDescriptors(rlim_t needed) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed) return;
  limit.rlim_cur = needed;
  limit.rlim_max = std::max(limit.rlim_max, needed);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    throw std::system_error(errno, std::generic_category(), "RLIMIT_NOFILE");
  }
}

std::map<agent::CheckId, agent::Check> makeChecks(unsigned targets, std::uint16_t port) {
  healthcheck::HttpProbe http;
  http.drain = {{404, 404}};
  std::map<agent::CheckId, agent::Check> checks;
  for (unsigned i = 0; i < targets; ++i) {
    agent::Check check;
    check.job.id = i;
    check.job.probe.target = {targetAddress(i), port};
    check.job.probe.timeout = Millis(500);
    check.job.probe.how = http;
    check.job.interval = Millis(2000);
    check.job.fastInterval = Millis(500);
    check.policy = {2, 3};
    checks.emplace(i, check);
  }
  return checks;
}

class Soak {
 public:
  explicit Soak(const Options& options)
      : length_(options.seconds),
        server_(options.seed),
        checks_(makeChecks(options.targets, server_.port())),
        targets_(options.targets) {}

  int run() {
    health_.setChecks(checks_, start_, {});
    std::vector<healthcheck::Job> jobs;
    for (const auto& [id, check] : checks_) jobs.push_back(check.job);
    prober_.setJobs(std::move(jobs));
    for (const auto& [id, check] : checks_) {
      prober_.setPace(id, agent::paceOf(health_.find(id)->state));
    }
    nextSample();
    io_.run();
    return report();
  }

 private:
  struct Target {
    LookBack model;
    TimePoint lastOutcome = Clock::now();
  };

  void onOutcome(const healthcheck::Outcome& outcome) {
    const auto update = health_.feed(outcome);
    if (!update) throw std::logic_error("outcome of an unknown check");
    if (update->paceBefore != update->pace) prober_.setPace(outcome.target, update->pace);
    count(outcome);
    if (update->changed) ++totals_.changes;

    auto& target = targets_.at(outcome.target);
    target.lastOutcome = outcome.at;
    const auto& check = checks_.at(outcome.target);
    const auto expected = target.model.after(outcome.answer, check.policy);
    if (update->after.health == expected) return;
    if (++totals_.mismatches > shownMismatches) return;
    fmt::print("MISMATCH {}: {}, but the answers say {}: {}\n", check.job.probe.target.str(),
               healthcheck::toString(update->after.health), healthcheck::toString(expected),
               target.model.history());
  }

  void count(const healthcheck::Outcome& outcome) {
    ++totals_.probes;
    if (outcome.answer == Answer::pass) {
      ++totals_.passed;
    } else if (outcome.answer == Answer::drain) {
      ++totals_.drained;
    } else if (outcome.answer == Answer::localError) {
      if (++totals_.local == 1) fmt::print("first local error: {}\n", outcome.reason);
    } else if (outcome.kind == FailureKind::badStatus) {
      ++totals_.badStatus;
    } else if (outcome.kind == FailureKind::reset || outcome.kind == FailureKind::closed) {
      ++totals_.lost;
    } else if (outcome.kind == FailureKind::timeout) {
      ++totals_.timeouts;
    } else if (++totals_.others == 1) {
      fmt::print("first other failure: {}\n", outcome.reason);
    }
  }

  void nextSample() {
    timer_.expires_at(start_ + sampleEvery * (samples_.size() + 1));
    timer_.async_wait([this](const ErrorCode&) {
      sample();
      if (samples_.back().at >= length_) return io_.stop();
      nextSample();
    });
  }

  void sample() {
    const auto now = Clock::now();
    samples_.push_back({now - start_, openDescriptors(), rssKib()});
    const auto silent = std::ranges::count_if(
        targets_, [&](const Target& target) { return now - target.lastOutcome > silentAfter; });
    mostSilent_ = std::max(mostSilent_, silent);
    const auto& last = samples_.back();
    fmt::print("{:4.0f} s  probes {:8}  changes {:7}  descriptors {:5.0f}  RSS {:6.0f} KiB{}\n",
               std::chrono::duration<double>(last.at).count(), totals_.probes, totals_.changes,
               last.descriptors, last.rssKib,
               silent ? fmt::format("  SILENT TARGETS {}", silent) : "");
    std::fflush(stdout);
  }

  // Of the samples in (from, to].
  double mean(double Sample::*what, Clock::duration from, Clock::duration to) const {
    double sum = 0;
    unsigned n = 0;
    for (const auto& one : samples_) {
      const auto at = std::chrono::round<seconds>(one.at);
      if (at <= from || at > to) continue;
      sum += one.*what;
      ++n;
    }
    return n ? sum / n : 0;
  }

  // Whether it did; `slack` comes on top of 2 %.
  bool grew(const char* name, double Sample::*what, double slack) const {
    const auto end = std::chrono::round<seconds>(samples_.back().at);
    const double before = mean(what, warmUp, warmUp + minute);
    const double after = mean(what, end - minute, end);
    const bool tooMuch = after > before * 1.02 + slack;
    fmt::print("{}: second minute {:.0f}, last minute {:.0f}{}\n", name, before, after,
               tooMuch ? ": FAILED, it grew" : "");
    return tooMuch;
  }

  int report() const {
    const double took = std::chrono::duration<double>(samples_.back().at).count();
    const auto& t = totals_;
    fmt::print("probes {}, {:.0f} a second, verdict changes {}\n", t.probes,
               static_cast<double>(t.probes) / took, t.changes);
    fmt::print("seen: pass {} drain {} bad-status {} lost {} timeout {} other {} local {}\n",
               t.passed, t.drained, t.badStatus, t.lost, t.timeouts, t.others, t.local);
    fmt::print("done: 200 {} 404 {} 503 {} reset {} hang {}\n", server_.met(Mood::ok),
               server_.met(Mood::drain), server_.met(Mood::unavailable), server_.met(Mood::reset),
               server_.met(Mood::hang));
    bool failed = false;
    const auto mustBeNone = [&](const char* what, auto n) {
      if (n != 0) fmt::print("FAILED: {} {}\n", what, n);
      failed = failed || n != 0;
    };
    mustBeNone("verdicts that do not follow from the answers:", t.mismatches);
    mustBeNone("targets at once without an outcome for over 5 s:", mostSilent_);
    mustBeNone("probes that could not be made:", t.local);
    mustBeNone("failures that the server did not make:", t.others);
    if (length_ < judgedFrom) {
      fmt::print("growth: not judged below {} s\n", judgedFrom.count());
    } else {
      failed = grew("descriptors", &Sample::descriptors, 50) || failed;
      failed = grew("RSS, KiB", &Sample::rssKib, 512) || failed;
    }
    fmt::print("{}\n", failed ? "FAILED" : "ok");
    return failed ? 1 : 0;
  }

  seconds length_;
  MoodyServer server_;
  std::map<agent::CheckId, agent::Check> checks_;
  std::vector<Target> targets_;
  agent::HealthTable health_;
  Totals totals_;
  std::vector<Sample> samples_;
  std::ptrdiff_t mostSilent_ = 0;
  TimePoint start_ = Clock::now();
  asio::io_context io_{1};
  asio::steady_timer timer_{io_};
  healthcheck::Prober prober_{[this](healthcheck::Outcome outcome) {
    asio::post(io_, [this, outcome = std::move(outcome)] { onOutcome(outcome); });
  }};
};

int run(int argc, char** argv) {
  namespace po = boost::program_options;
  Options options;
  po::options_description known;
  auto add = known.add_options();
  add("seconds", po::value(&options.seconds));
  add("targets", po::value(&options.targets));
  add("seed", po::value(&options.seed));
  po::variables_map given;
  po::store(po::parse_command_line(argc, argv, known), given);
  po::notify(given);
  if (options.targets < 1 || options.targets > 60000) {
    throw std::runtime_error("--targets: from 1 to 60000");
  }
  allowDescriptors(rlim_t{2} * options.targets + 200);
  return Soak(options).run();
}

}  // namespace
}  // namespace l4ward::bench

int main(int argc, char** argv) {
  try {
    return l4ward::bench::run(argc, argv);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "bench_soak: {}\n", problem.what());
    return 1;
  }
}
