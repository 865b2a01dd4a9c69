#include "bench/process_tree.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace l4ward::bench {
namespace {

using namespace std::chrono_literals;

struct Ticks {
  std::uint64_t busy = 0;
  std::uint64_t all = 0;
};

Ticks machineTicks() {
  std::ifstream file("/proc/stat");
  std::string name;
  file >> name;  // cpu: user nice system idle iowait irq softirq steal
  Ticks ticks;
  for (int i = 0; i < 8; ++i) {
    std::uint64_t value = 0;
    file >> value;
    ticks.all += value;
    if (i != 3 && i != 4) ticks.busy += value;
  }
  return ticks;
}

}  // namespace

std::vector<pid_t> threadsOf(pid_t root) {
  std::vector<pid_t> threads;
  std::error_code gone;
  const std::filesystem::path tasks = "/proc/" + std::to_string(root) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, gone)) {
    threads.push_back(std::stoi(task.path().filename()));
    std::ifstream children(task.path() / "children");
    for (pid_t child = 0; children >> child;) {
      const auto theirs = threadsOf(child);
      threads.insert(threads.end(), theirs.begin(), theirs.end());
    }
  }
  return threads;
}

std::uint64_t cpuTime(pid_t root) {
  std::uint64_t sum = 0;
  for (const pid_t thread : threadsOf(root)) {
    std::uint64_t nanoseconds = 0;  // the file's first number: time on a CPU
    // A thread is found by its own number as well as among its process's tasks.
    std::ifstream("/proc/" + std::to_string(thread) + "/schedstat") >> nanoseconds;
    sum += nanoseconds;
  }
  return sum;
}

void awaitQuiet() {
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    const auto before = machineTicks();
    std::this_thread::sleep_for(100ms);
    const auto after = machineTicks();
    if ((after.busy - before.busy) * 10 <= after.all - before.all) return;
  }
}

}  // namespace l4ward::bench
