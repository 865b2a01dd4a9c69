// What a turn of the controller costs with many virtual IPs, on a kernel that costs nothing: from
// the outcome that makes one server fail, or come back, to the moment that new routes are published
// and to the end of the turn.
//
//   bench_turn [VIPS] [SERVERS] [ROUNDS]      1000 VIPs, each with a pool of 4 servers; 300 rounds
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "agent/controller.h"
#include "base/log.h"
#include "config/load.h"
#include "tests/ipvs/fake_globals.h"
#include "tests/ipvs/fake_kernel.h"

namespace l4ward::bench {
namespace {

using healthcheck::Answer;
using std::chrono::steady_clock;
using Micros = std::chrono::duration<double, std::micro>;

class NoInterfaces : public agent::Interfaces {
 public:
  Status ensureInterface(const std::string&) override { return {}; }
  Result<std::set<Prefix>> list(const std::string&) override { return held_; }
  Status add(const std::string&, const Prefix& vip) override {
    held_.insert(vip);
    return {};
  }
  Status remove(const std::string&, const Prefix& vip) override {
    held_.erase(vip);
    return {};
  }

 private:
  std::set<Prefix> held_;
};

// "10.B.C.D" with the number in the lower bytes.
std::string addressOf(unsigned network, std::size_t number) {
  return fmt::format("10.{}.{}.{}", network + number / 65536, number / 256 % 256, number % 256);
}

// Two neighbors; each VIP has a service and a pool of its own, all of whose servers it needs.
config::Site siteOf(std::size_t vips, std::size_t servers) {
  std::string pools;
  std::string services;
  for (std::size_t i = 0; i < vips; ++i) {
    pools += fmt::format("  p{}:\n    check: c\n    servers:\n", i);
    for (std::size_t j = 0; j < servers; ++j) {
      pools += fmt::format("      - {{ name: s{}, address: {} }}\n", j,
                           addressOf(64, i * servers + j + 1));
    }
    services += fmt::format("  v{}: {{ vips: [{}], ports: [80], pool: p{}, quorum: {} }}\n", i,
                            addressOf(32, i + 1), i, servers);
  }
  const auto site = config::loadSite(
      "bgp:\n  local_as: 65001\n  router_id: 192.0.2.11\n  communities: [\"65001:80\"]\n"
      "  neighbors: [{ address: 192.0.2.1, peer_as: 65000 },"
      " { address: 192.0.2.2, peer_as: 65000 }]\n"
      "checks: { c: { type: tcp, rise: 1, fall: 1 } }\npools:\n" +
          pools + "services:\n" + services,
      "site.yaml", "bench");
  if (!site) throw std::runtime_error(site.error().front().str());
  return *site;
}

class Bench {
 public:
  Bench(std::size_t vips, std::size_t servers) {
    if (const auto started = controller_.start(siteOf(vips, servers), now_); !started) {
      throw std::runtime_error(started.error().message);
    }
    controller_.onRelayConnected({}, now_);
    controller_.turn(now_);
    for (const auto& job : jobs_) answer(job, Answer::pass);
    controller_.turn(now_);
    controller_.onSynced(generation_);
    if (routes_ != 2 * vips) throw std::runtime_error("not everything is announced");
  }

  struct Times {
    std::vector<double> published;  // µs
    std::vector<double> turn;
  };
  void round(std::size_t number, Times& failures, Times& returns) {
    const auto& job = jobs_[number * 7919 % jobs_.size()];
    timed(job, Answer::fail, failures);
    timed(job, Answer::pass, returns);
  }

 private:
  void answer(const healthcheck::Job& job, Answer what) {
    controller_.onOutcome({.target = job.id, .answer = what, .at = now_});
  }
  void timed(const healthcheck::Job& job, Answer what, Times& times) {
    now_ += Millis(1);
    publishedAt_.reset();
    const auto start = steady_clock::now();
    answer(job, what);
    controller_.turn(now_);
    const auto end = steady_clock::now();
    if (!publishedAt_) throw std::runtime_error("nothing was published");
    times.published.push_back(Micros(*publishedAt_ - start).count());
    times.turn.push_back(Micros(end - start).count());
    controller_.onSynced(generation_);
  }

  ipvs::FakeKernel kernel_;
  ipvs::FakeGlobals globals_;
  NoInterfaces interfaces_;
  agent::MemoryFile memory_{"", ""};
  TimePoint now_{std::chrono::hours(1)};
  std::uint64_t generation_ = 0;
  std::size_t routes_ = 0;
  std::optional<steady_clock::time_point> publishedAt_;
  std::vector<healthcheck::Job> jobs_;
  agent::Controller controller_{
      {kernel_, globals_, interfaces_, memory_,
       [this](const bgp::RouteSet& routes) {
         if (!publishedAt_) publishedAt_ = steady_clock::now();
         routes_ = routes.size();
         return ++generation_;
       },
       [this](std::vector<healthcheck::Job> jobs) { jobs_ = std::move(jobs); },
       [](agent::CheckId, healthcheck::Pace) {}}};
};

void print(const char* what, std::vector<double> micros) {
  std::ranges::sort(micros);
  const auto at = [&](double share) {
    return micros[static_cast<std::size_t>(share * static_cast<double>(micros.size() - 1))];
  };
  fmt::print("{:32} median {:8.0f} us   p99 {:8.0f} us   max {:8.0f} us\n", what, at(0.5), at(0.99),
             micros.back());
}

int run(const std::vector<std::string>& arguments) {
  const auto number = [&](std::size_t i, std::size_t otherwise) {
    return i < arguments.size() ? std::stoul(arguments[i]) : otherwise;
  };
  log::setLevel(log::Level::error);
  Bench bench(number(0, 1000), number(1, 4));
  Bench::Times failures;
  Bench::Times returns;
  for (std::size_t i = 0; i < number(2, 300); ++i) bench.round(i, failures, returns);
  print("a server fails: published", failures.published);
  print("a server fails: whole turn", failures.turn);
  print("a server is back: published", returns.published);
  print("a server is back: whole turn", returns.turn);
  return 0;
}

}  // namespace
}  // namespace l4ward::bench

int main(int argc, char** argv) {
  try {
    return l4ward::bench::run({argv + 1, argv + argc});
  } catch (const std::exception& problem) {
    fmt::print(stderr, "bench_turn: {}\n", problem.what());
    return 1;
  }
}
