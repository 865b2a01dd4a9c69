// How long a decision takes to become a line for ExaBGP: the real RelayLink and the real relay,
// with this program in the place of ExaBGP.
//
//   bench_route_line RELAY [VIPS]      RELAY: the program l4ward-exabgp; 1000 virtual IPs
//
// All virtual IPs stand at two neighbors. From publish() until the last line is read: one virtual
// IP is withdrawn; all are. Median and 99th percentile of 50 tries, in milliseconds.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/asio.h"
#include "base/unique_fd.h"
#include "bgp/exabgp_text.h"
#include "bgp/line_buffer.h"
#include "bgp/relay_link.h"

namespace l4ward::bench {
namespace {

constexpr int kTries = 50;
constexpr Millis kLimit{30000};
const std::array<std::string, 2> kNeighbors = {"192.0.2.1", "192.0.2.2"};

// Reads what the relay writes to ExaBGP and answers at once.
class Exabgp {
 public:
  Exabgp(asio::io_context& loop, const std::string& relay, const std::string& folder)
      : from_(loop) {
    std::array<int, 2> in{}, out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) {
      throw std::runtime_error("no pipe");
    }
    const std::string socket = folder + "/bgp.sock", record = folder + "/relay.json";
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::execl(relay.c_str(), relay.c_str(), socket.c_str(), record.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    to_.reset(in[1]);
    ::fcntl(out[0], F_SETFL, O_NONBLOCK);
    from_.assign(out[0]);
    wait();
  }
  Exabgp(const Exabgp&) = delete;
  Exabgp& operator=(const Exabgp&) = delete;
  ~Exabgp() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  std::size_t withdrawn = 0;  // routes, since it was set to 0

 private:
  void wait() {
    from_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const ErrorCode& error) {
      if (error) return;
      read();
      wait();
    });
  }
  void read() {
    const ssize_t got = ::read(from_.native_handle(), chunk_.data(), chunk_.size());
    if (got == 0) throw std::runtime_error("the relay ended");
    if (got < 0) return;
    lines_.feed(std::string_view(chunk_.data(), static_cast<std::size_t>(got)));
    while (const auto line = lines_.next()) take(*line);
  }
  void take(const std::string& line) {
    if (line.find(" withdraw ") != std::string::npos) {
      withdrawn += static_cast<std::size_t>(std::count(line.begin(), line.end(), '/'));
    }
    std::string answer = "done\n";
    if (line == bgp::kBarrierLine) {
      answer = "Peer            AS        up/down state       |     #sent     #recvd\n";
      for (const auto& neighbor : kNeighbors) answer += neighbor + " 65000 0:00:12 established\n";
      answer += "done\n";
    }
    if (::write(to_.get(), answer.data(), answer.size()) < 0) {
      throw std::runtime_error("the relay does not read");
    }
  }

  asio::posix::stream_descriptor from_;
  UniqueFd to_;
  pid_t pid_ = 0;
  std::array<char, 16384> chunk_{};
  bgp::LineBuffer lines_{16384};
};

bgp::RouteSet routes(int count) {
  bgp::Attributes attributes;
  attributes.nextHop = IpAddress::parse("192.0.2.11").value();
  attributes.med = 100;
  attributes.communities = {"65001:80"};
  bgp::RouteSet set;
  for (const auto& neighbor : kNeighbors) {
    for (int i = 0; i < count; ++i) {
      const auto prefix = Prefix::parse(fmt::format("198.18.{}.{}/32", i / 250, i % 250));
      set.emplace(bgp::RouteKey{IpAddress::parse(neighbor).value(), prefix.value()}, attributes);
    }
  }
  return set;
}

class Bench {
 public:
  Bench(const std::string& relay, int vips, const std::string& folder)
      : all_(routes(vips)), link_(loop_, events()) {
    if (const auto listening = link_.listen(folder + "/bgp.sock"); !listening) {
      throw std::runtime_error(listening.error().message);
    }
    exabgp_ = std::make_unique<Exabgp>(loop_, relay, folder);
    settle(all_);
  }

  void withdraw(const char* what, const bgp::RouteSet& rest) {
    std::vector<double> times;
    const std::size_t gone = all_.size() - rest.size();
    for (int i = 0; i < kTries; ++i) {
      exabgp_->withdrawn = 0;
      const TimePoint start = Clock::now();
      link_.publish(rest);
      until([&] { return exabgp_->withdrawn == gone; });
      times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
      settle(rest);
      settle(all_);
    }
    std::sort(times.begin(), times.end());
    fmt::print("{:<24} median {:7.2f} ms   p99 {:7.2f} ms\n", what, times[kTries / 2],
               times[kTries - 1]);
  }

  const bgp::RouteSet& all() const { return all_; }

 private:
  bgp::RelayLink::Events events() {
    bgp::RelayLink::Events events;
    events.synced = [this](std::uint64_t generation) { synced_ = generation; };
    return events;
  }
  void settle(const bgp::RouteSet& routes) {
    const auto generation = link_.publish(routes);
    until([&] { return synced_ == generation; });
  }
  void until(const std::function<bool()>& condition) {
    const TimePoint end = Clock::now() + kLimit;
    while (!condition()) {
      if (Clock::now() > end) throw std::runtime_error("the relay does not go on");
      loop_.restart();
      loop_.run_one_for(Millis(100));
    }
  }

  asio::io_context loop_{1};
  bgp::RouteSet all_;
  std::uint64_t synced_ = 0;
  bgp::RelayLink link_;
  std::unique_ptr<Exabgp> exabgp_;
};

void run(const std::string& relay, int vips, const std::string& folder) {
  Bench bench(relay, vips, folder);
  bgp::RouteSet rest = bench.all();
  const Prefix one = std::next(rest.begin(), vips / 2)->first.prefix;
  std::erase_if(rest, [&one](const auto& entry) { return entry.first.prefix == one; });
  bench.withdraw("one withdrawn", rest);
  bench.withdraw("all withdrawn", {});
}

}  // namespace
}  // namespace l4ward::bench

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::signal(SIGPIPE, SIG_IGN);
  std::string folder = "/tmp/bench-route-line-XXXXXX";
  if (!::mkdtemp(folder.data())) return 1;
  int status = 0;
  try {
    l4ward::bench::run(argv[1], argc > 2 ? std::atoi(argv[2]) : 1000, folder);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    status = 1;
  }
  std::filesystem::remove_all(folder);
  return status;
}
