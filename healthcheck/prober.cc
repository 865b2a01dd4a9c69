#include "healthcheck/prober.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <future>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/asio.h"
#include "base/signals_blocked.h"
#include "healthcheck/runner.h"
#include "healthcheck/schedule.h"

namespace l4ward::healthcheck {

class Prober::Impl {
 public:
  explicit Impl(Sink sink) : shared_{{io_, scratch_}, std::move(sink)} {
    const SignalsBlocked blocked;
    thread_ = std::thread([this] { io_.run(); });
    pthread_setname_np(thread_.native_handle(), "l4ward-prober");
  }

  ~Impl() {
    io_.stop();
    thread_.join();
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void post(auto&& work) { asio::post(io_, std::forward<decltype(work)>(work)); }

  void setJobs(std::vector<Job> jobs) {
    shared_.step = startStep(jobs);
    std::unordered_map<std::uint64_t, std::shared_ptr<Runner>> kept;
    std::vector<Job> fresh;
    for (auto& job : jobs) {
      const auto known = runners_.find(job.id);
      if (known != runners_.end() && known->second->job() == job) {
        kept.insert(runners_.extract(known));
      } else {
        fresh.push_back(std::move(job));
      }
    }
    for (const auto& [id, runner] : runners_) runner->stop();
    runners_ = std::move(kept);
    startAll(std::move(fresh));
  }

  void setPace(std::uint64_t id, Pace pace) {
    const auto found = runners_.find(id);
    if (found != runners_.end()) found->second->setPace(pace);
  }

  Tallies tallies() const {
    Tallies tallies{{}, shared_.lateness};
    tallies.jobs.reserve(runners_.size());
    for (const auto& [id, runner] : runners_) tallies.jobs.emplace(id, runner->tally());
    return tallies;
  }

 private:
  void startAll(std::vector<Job> jobs) {
    const auto delays = firstDelays(jobs);
    const auto now = Clock::now();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const auto id = jobs[i].id;
      const auto runner = std::make_shared<Runner>(shared_, std::move(jobs[i]));
      if (runners_.emplace(id, runner).second) runner->start(now + delays[i]);
    }
  }

  // I/O objects belong to the thread alone; others only post, so locks around I/O would be for
  // nothing.
  asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  // Makes Asio open its descriptors now, where a failure is the caller's exception; it would else
  // do so at the first probe and end the process if there are none left.
  asio::steady_timer opener_{io_};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::array<char, 64 * 1024> scratch_{};  // any datagram
  Runner::Shared shared_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Runner>> runners_;  // by Job::id
  std::thread thread_;
};

Prober::Prober(Sink sink) : impl_(std::make_unique<Impl>(std::move(sink))) {}

Prober::~Prober() = default;

void Prober::setJobs(std::vector<Job> jobs) {
  impl_->post(
      [impl = impl_.get(), jobs = std::move(jobs)]() mutable { impl->setJobs(std::move(jobs)); });
}

void Prober::setPace(std::uint64_t id, Pace pace) {
  impl_->post([impl = impl_.get(), id, pace] { impl->setPace(id, pace); });
}

std::optional<Tallies> Prober::tallies(Millis patience) {
  // Shared, since the caller may have given up by the time of the answer.
  const auto promise = std::make_shared<std::promise<Tallies>>();
  auto answer = promise->get_future();
  impl_->post([impl = impl_.get(), promise] { promise->set_value(impl->tallies()); });
  if (answer.wait_for(patience) != std::future_status::ready) return std::nullopt;
  return answer.get();
}

}  // namespace l4ward::healthcheck
