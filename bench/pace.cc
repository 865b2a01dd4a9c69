// How late do probes start? Probes many addresses of one server, each once a second, and says when
// the starts came after their time, and what a check costs.
//
//   bench_pace [--targets 1000] [--first 127.1.0.0] [--port 80] [--tls 1] [--seconds 10]
//
// The targets have consecutive IPv4 addresses. Certificates are not verified. Prints one line:
// {"probes": …, "failed": …, "p50": ms, "p99": ms, "max": ms, "cpu": microseconds a check}
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "healthcheck/prober.h"

namespace l4ward::bench {
namespace {

using std::chrono::duration;
using std::chrono::seconds;
using Milliseconds = duration<double, std::milli>;

// The first probes are spread over an interval; TLS sessions are made in it.
constexpr seconds kWarmUp{3};

struct Options {
  unsigned targets = 1000;
  std::string first = "127.1.0.0";
  std::uint16_t port = 80;
  bool tls = false;
  unsigned length = 10;
};

Options parse(int argc, char** argv) {
  namespace po = boost::program_options;
  Options options;
  po::options_description known;
  auto add = known.add_options();
  add("targets", po::value(&options.targets));
  add("first", po::value(&options.first));
  add("port", po::value(&options.port));
  add("tls", po::value(&options.tls));
  add("seconds", po::value(&options.length));
  po::variables_map given;
  po::store(po::parse_command_line(argc, argv, known), given);
  po::notify(given);
  return options;
}

IpAddress plus(const IpAddress& first, std::uint32_t offset) {
  const auto bytes = first.bytes();
  std::uint32_t number = offset;
  for (std::size_t i = 0; i < 4; ++i) number += std::uint32_t{bytes[i]} << (24 - 8 * i);
  std::vector<std::uint8_t> sum;
  for (int shift = 24; shift >= 0; shift -= 8) {
    sum.push_back(static_cast<std::uint8_t>(number >> shift));
  }
  return IpAddress::fromBytes(sum).value();
}

std::vector<healthcheck::Job> makeJobs(const Options& options) {
  const auto first = IpAddress::parse(options.first).value();
  std::vector<healthcheck::Job> jobs;
  for (unsigned i = 0; i < options.targets; ++i) {
    healthcheck::Job job;
    job.id = i;
    job.probe.target = {plus(first, i), options.port};
    job.probe.how = healthcheck::HttpProbe{.path = "/health"};
    if (options.tls) {
      job.probe.tls.emplace();
      job.probe.tls->serverName = "bench";
      job.probe.tls->verify = false;
    }
    job.interval = job.fastInterval = job.downInterval = seconds(1);
    jobs.push_back(std::move(job));
  }
  return jobs;
}

// User and system time of this process.
double cpuMicroseconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

class Record {
 public:
  void add(const healthcheck::Outcome& outcome) {
    const std::lock_guard guard(mutex_);
    late_.push_back(Milliseconds(outcome.late).count());
    if (outcome.answer == healthcheck::Answer::pass) return;
    if (failed_++ == 0) fmt::print(stderr, "first failure: {}\n", outcome.reason);
  }
  void clear() {
    const std::lock_guard guard(mutex_);
    late_.clear();
    failed_ = 0;
  }
  std::string json(double cpu) {
    const std::lock_guard guard(mutex_);
    std::ranges::sort(late_);
    const auto at = [&](double share) {
      return late_.empty() ? 0.0
                           : late_[static_cast<std::size_t>(share * (double(late_.size()) - 1))];
    };
    return fmt::format(
        R"({{"probes": {}, "failed": {}, "p50": {:.3f}, "p99": {:.3f}, "max": {:.3f}, "cpu": {:.1f}}})",
        late_.size(), failed_, at(0.5), at(0.99), at(1), cpu / std::max(1.0, double(late_.size())));
  }

 private:
  std::mutex mutex_;
  std::vector<double> late_;
  unsigned failed_ = 0;
};

int run(const Options& options) {
  Record record;
  healthcheck::Prober prober([&](const healthcheck::Outcome& outcome) { record.add(outcome); });
  prober.setJobs(makeJobs(options));
  std::this_thread::sleep_for(kWarmUp);
  const double before = cpuMicroseconds();
  record.clear();
  std::this_thread::sleep_for(seconds(options.length));
  fmt::print("{}\n", record.json(cpuMicroseconds() - before));
  return 0;
}

}  // namespace
}  // namespace l4ward::bench

int main(int argc, char** argv) {
  try {
    return l4ward::bench::run(l4ward::bench::parse(argc, argv));
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_pace: {}\n", error.what());
    return 1;
  }
}
