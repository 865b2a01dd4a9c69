// Runs a program, or signals one that runs, and waits until IPVS holds a table:
//
//   bench_measure --table FILE [--look counts|first|servers|idle] [--log FILE] [--input FILE]
//                 [--count 1] (--signal PID | -- COMMAND...)
//
// Prints one line: {"pid": …, "wall": milliseconds, "cpu": milliseconds, "calls": system calls with
// --count, else 0, "different": services that differ after all}. The program is left running; its
// parent is then the caller's subreaper.
//
// "idle" is for what changes nothing in the kernel: the clock stops when program and children had
// spent all the CPU time that they spend before a long silence.
#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/program_options.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/call_counter.h"
#include "bench/process_tree.h"
#include "bench/service_state.h"
#include "bench/table.h"

namespace l4ward::bench {
namespace {

using namespace std::chrono_literals;
using Time = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr auto kEvery = 1ms;
// Looking through /proc costs a multiple of asking IPVS.
constexpr auto kEveryIdle = 20ms;
constexpr auto kSilence = 400ms;
constexpr std::uint64_t kHardlyAny = 1'000'000;  // nanoseconds of CPU time: a timer, a look round

struct Options {
  std::string table, look = "counts", log = "/dev/null", input = "/dev/null";
  pid_t signal = 0;
  bool count = false;
  double limit = 120;  // seconds
  std::vector<std::string> command;
};

struct Taken {
  Milliseconds wall{};
  std::uint64_t cpu = 0;  // nanoseconds
};

Options parse(int argc, char** argv) {
  namespace po = boost::program_options;
  Options options;
  po::options_description known;
  auto add = known.add_options();
  add("table", po::value(&options.table)->required());
  add("look", po::value(&options.look));
  add("log", po::value(&options.log));
  add("input", po::value(&options.input));
  add("limit", po::value(&options.limit));
  add("count", po::value(&options.count));
  add("signal", po::value(&options.signal));
  add("command", po::value(&options.command));
  po::positional_options_description rest;
  rest.add("command", -1);
  po::variables_map given;
  po::store(po::command_line_parser(argc, argv).options(known).positional(rest).run(), given);
  po::notify(given);
  if (options.command.empty() == (options.signal == 0)) {
    throw std::runtime_error("give either --signal PID or a command");
  }
  return options;
}

[[noreturn]] void execute(const Options& options) {
  const int in = ::open(options.input.c_str(), O_RDONLY);
  const int out = ::open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (in < 0 || out < 0 || ::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(out, 2) < 0) {
    ::_exit(126);
  }
  ::setsid();
  std::vector<char*> arguments;
  for (const auto& word : options.command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

// Starts or signals; the process whose work is measured from now on.
pid_t begin(const Options& options) {
  if (options.signal != 0) {
    if (::kill(options.signal, SIGHUP) != 0) throw std::runtime_error("no process to signal");
    return options.signal;
  }
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child == 0) execute(options);
  return child;
}

// A program that ended without having done its work is an error, and so is a very long wait.
void checkAlive(const Options& options, pid_t pid, Time start) {
  siginfo_t ended{};
  if (options.signal == 0 &&
      ::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
      ended.si_pid == pid && (ended.si_code != CLD_EXITED || ended.si_status != 0)) {
    throw std::runtime_error(fmt::format("it ended (status {})", ended.si_status));
  }
  if (std::chrono::steady_clock::now() - start > std::chrono::duration<double>(options.limit)) {
    throw std::runtime_error("IPVS does not get where it should");
  }
}

Taken awaitState(const Options& options, ServiceState& state, pid_t pid, Time start) {
  static const std::map<std::string, ServiceState::Look> looks{
      {"counts", ServiceState::Look::counts},
      {"first", ServiceState::Look::first},
      {"servers", ServiceState::Look::servers}};
  const auto look = looks.at(options.look);
  while (!state.reached(look)) {
    checkAlive(options, pid, start);
    std::this_thread::sleep_for(kEvery);
  }
  return {std::chrono::steady_clock::now() - start, cpuTime(pid)};
}

Taken awaitIdle(const Options& options, pid_t pid, Time start) {
  std::vector<Taken> samples;
  std::size_t busy = 0;  // the sample behind the last real rise
  while (true) {
    checkAlive(options, pid, start);
    samples.push_back({std::chrono::steady_clock::now() - start, cpuTime(pid)});
    if (samples.back().cpu > samples[busy].cpu + kHardlyAny) busy = samples.size() - 1;
    if (samples.back().wall - samples[busy].wall > kSilence) return samples[busy];
    std::this_thread::sleep_for(kEveryIdle);
  }
}

void run(const Options& options) {
  using Whom = CallCounter::Whom;
  const auto wanted = readTable(options.table);
  ServiceState state(wanted);
  std::optional<CallCounter> counter;
  awaitQuiet();
  if (options.count && options.signal != 0) counter.emplace(options.signal);
  if (options.count && options.signal == 0) counter.emplace(Whom::nextProgram);
  const auto before = options.signal != 0 ? cpuTime(options.signal) : 0;
  const auto start = std::chrono::steady_clock::now();
  const pid_t pid = begin(options);
  const auto taken = options.look == "idle" ? awaitIdle(options, pid, start)
                                            : awaitState(options, state, pid, start);
  fmt::print(R"({{"pid": {}, "wall": {:.3f}, "cpu": {:.3f}, "calls": {}, "different": {}}})"
             "\n",
             pid, taken.wall.count(), static_cast<double>(taken.cpu - before) / 1e6,
             counter ? counter->calls() : 0, state.different());
}

}  // namespace
}  // namespace l4ward::bench

int main(int argc, char** argv) {
  try {
    l4ward::bench::run(l4ward::bench::parse(argc, argv));
    return 0;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "bench_measure: {}\n", problem.what());
    return 1;
  }
}
