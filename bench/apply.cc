// Brings IPVS from one table to another in this process, and says how long that took:
//
//   bench_apply floor  BEFORE AFTER [count]    the requests are encoded before the clock starts
//   bench_apply l4ward BEFORE AFTER [count]    dump, plan and NetlinkKernel::apply()
//
// The tables are files as in table.h; IPVS must hold BEFORE. With equal tables the floor is reading
// IPVS, not decoded. With "count" the system calls are counted, which makes it slower.
#include <fmt/core.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/call_counter.h"
#include "bench/floor.h"
#include "bench/table.h"
#include "ipvs/netlink.h"
#include "ipvs/plan.h"

namespace l4ward::bench {
namespace {

// No other size was faster: see README.md.
constexpr std::size_t kFloorBatch = 500;

// Seconds.
double cpuClock() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Prints what `work` took, in milliseconds, as bench_measure does.
void timed(bool count, const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  const double cpu = cpuClock();
  std::optional<CallCounter> counter;
  if (count) counter.emplace(CallCounter::Whom::self);
  work();
  const auto calls = counter ? counter->calls() - 1 : 0;  // less the one that asks
  const double used = cpuClock() - cpu;
  const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - start;
  fmt::print(R"({{"wall": {:.3f}, "cpu": {:.3f}, "calls": {}}})"
             "\n",
             wall.count(), used * 1e3, calls);
}

void runFloor(const ipvs::WantedTable& before, const ipvs::WantedTable& after, bool count) {
  const char* batch = std::getenv("BENCH_BATCH");  // NOLINT(concurrency-mt-unsafe): one thread
  const auto operations = ipvs::plan(programmed(before), after, {}, {});
  Floor floor;
  if (operations.empty()) {
    floor.encodeDump(after);
  } else {
    floor.encode(operations, batch ? std::stoul(batch) : kFloorBatch);
  }
  timed(count, [&] { floor.send(); });
}

// Programs a service of its own and takes it away again, so that what is timed runs as in an agent
// that has run before: an emulated processor translates code when it first meets it.
void warmUp(ipvs::Kernel& kernel) {
  const ipvs::ServiceKey key{ipvs::Protocol::tcp, *Endpoint::parse("203.0.113.255:9")};
  ipvs::WantedService service;
  for (const char* server : {"192.0.2.1:9", "192.0.2.2:9", "192.0.2.3:9"}) {
    service.destinations[*Endpoint::parse(server)] = {};
  }
  const auto program = [&](const ipvs::WantedTable& wanted,
                           const std::vector<ipvs::ServiceKey>& remove) {
    const auto actual = kernel.dump();
    if (!actual) throw std::runtime_error(actual.error().message);
    const auto report = kernel.apply(ipvs::plan(*actual, wanted, {}, remove));
    if (!report.failures.empty()) throw std::runtime_error(report.failures[0].error.message);
  };
  program({{key, service}}, {});
  program({}, {key});
}

void runL4ward(const ipvs::WantedTable& after, bool count) {
  const auto kernel = ipvs::NetlinkKernel::open();
  if (!kernel) throw std::runtime_error(kernel.error().message);
  if (!count) warmUp(**kernel);  // its writes are not to be counted
  timed(count, [&] {
    const auto actual = (*kernel)->dump();
    if (!actual) throw std::runtime_error(actual.error().message);
    const auto report = (*kernel)->apply(ipvs::plan(*actual, after, {}, {}));
    if (!report.failures.empty()) throw std::runtime_error(report.failures[0].error.message);
  });
}

int run(const std::vector<std::string>& arguments) {
  const auto word = [&](std::size_t i) { return i < arguments.size() ? arguments[i] : ""; };
  const bool count = word(3) == "count";
  const auto before = readTable(word(1));
  const auto after = readTable(word(2));
  if (word(0) == "floor") {
    runFloor(before, after, count);
  } else if (word(0) == "l4ward") {
    runL4ward(after, count);
  } else {
    throw std::runtime_error("usage: bench_apply floor|l4ward BEFORE AFTER [count]");
  }
  return 0;
}

}  // namespace
}  // namespace l4ward::bench

int main(int argc, char** argv) {
  try {
    return l4ward::bench::run({argv + 1, argv + argc});
  } catch (const std::exception& problem) {
    fmt::print(stderr, "bench_apply: {}\n", problem.what());
    return 1;
  }
}
