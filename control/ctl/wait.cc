#include "control/ctl/wait.h"

#include <fmt/format.h>

#include <deque>

#include "control/ctl/answers.h"
#include "control/ctl/estimate.h"

namespace l4ward::ctl {
namespace {

using control::Refusal;

constexpr Millis kPeriod{1000};
constexpr Millis kPatience{30'000};    // with an agent that does not answer: it may be restarting
constexpr Millis kLinePeriod{10'000};  // between lines in a log
constexpr double kWindow = 60;         // seconds of samples that the estimate rests on

double secondsOf(Millis time) {
  return static_cast<double>(time.count()) / 1000;
}

class Waiting {
 public:
  Waiting(const WaitFor& what, const WaitWorld& world)
      : what_(what), world_(world), start_(world.now()), heard_(start_) {}

  tl::expected<Waited, Refusal> run() {
    for (;;) {
      if (auto refusal = look()) {
        endLine();
        return tl::unexpected(*refusal);
      }
      if (isEmpty()) return end(WaitEnd::empty);
      if (took() >= what_.limit) return end(WaitEnd::limit);
      tell();
      const auto rest = what_.limit - took();
      if (!world_.pause(std::min(kPeriod, rest))) return end(WaitEnd::interrupted);
    }
  }

 private:
  Millis took() const { return std::chrono::duration_cast<Millis>(world_.now() - start_); }

  // A refusal if the agent has not answered for too long.
  std::optional<Refusal> look() {
    const auto reply = world_.ask(control::StatusRequest{});
    const auto status = reply ? readStatus(*reply) : tl::unexpected(reply.error());
    if (!status) {
      last_.reset();
      return world_.now() - heard_ > kPatience ? std::optional(status.error()) : std::nullopt;
    }
    heard_ = world_.now();
    last_ = sampleOf(*status, what_.subject);
    if (!last_ || last_->at < what_.since) return std::nullopt;
    // An answer that is shared by all who ask within a second may come twice.
    if (samples_.empty() || samples_.back().at < last_->at) samples_.push_back(*last_);
    while (samples_.front().at < last_->at - kWindow) samples_.pop_front();
    return std::nullopt;
  }

  bool isEmpty() const {
    return last_ && last_->at >= what_.since && last_->settled && last_->left() == 0;
  }

  std::string line() const {
    if (!last_) return "the number of connections is not known: asking again";
    std::string text = plural(last_->left(), "connection") + " left";
    if (last_->closing > 0) text += fmt::format(" ({} of them closing)", last_->closing);
    if (!last_->settled) text += ", new ones still come";
    if (const auto left = secondsLeft({samples_.begin(), samples_.end()})) {
      text += ", about " + age(*left) + " more";
    }
    return text +
           fmt::format("; {} of at most {}", age(secondsOf(took())), formatDuration(what_.limit));
  }

  void tell() {
    const auto text = line();
    if (world_.live) {
      world_.out << "\r" << text << "\033[K" << std::flush;
      lineOpen_ = true;
      return;
    }
    if (toldAt_ && world_.now() - *toldAt_ < kLinePeriod) return;
    toldAt_ = world_.now();
    world_.out << text << std::endl;
  }
  void endLine() {
    if (lineOpen_) world_.out << "\r\033[K" << std::flush;
  }

  Waited end(WaitEnd how) {
    endLine();
    Waited waited{how, std::nullopt, took()};
    if (last_) waited.left = last_->left();
    return waited;
  }

  const WaitFor& what_;
  const WaitWorld& world_;
  TimePoint start_;
  TimePoint heard_;
  std::optional<Sample> last_;
  std::deque<Sample> samples_;
  std::optional<TimePoint> toldAt_;
  bool lineOpen_ = false;
};

}  // namespace

tl::expected<Waited, Refusal> waitUntilEmpty(const WaitFor& what, const WaitWorld& world) {
  return Waiting(what, world).run();
}

std::string waitText(const WaitFor& what, const Waited& waited) {
  const auto subject = what.subject.str();
  const auto left =
      waited.left ? plural(*waited.left, "connection") : std::string("an unknown number");
  if (waited.end == WaitEnd::empty) {
    return subject + " is empty after " + age(secondsOf(waited.took)) +
           ": no connections are left\n";
  }
  return (waited.end == WaitEnd::limit ? "the limit is reached, " : "interrupted, ") + left +
         " left; " + subject + " stays " +
         (what.action == control::Action::drain ? "draining" : "disabled") +
         "\n  to take it back: l4wardctl enable " + subject + "\n";
}

}  // namespace l4ward::ctl
