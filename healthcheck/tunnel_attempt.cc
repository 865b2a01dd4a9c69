#include "healthcheck/tunnel_attempt.h"

#include <array>
#include <optional>
#include <utility>

namespace l4ward::healthcheck {
namespace {

// What a probe through the tunnel is compared with.
struct Comparison {
  Probe probe;
  FailureKind meaning = FailureKind::tunnel;  // if this one passes where the other does not
  std::string reason;
  std::unique_ptr<Attempts> attempts = nullptr;
};

bool mayBeTheWay(FailureKind kind) {
  return kind == FailureKind::timeout || kind == FailureKind::unreachable;
}

class TunnelAttempt final : public Attempt, public std::enable_shared_from_this<TunnelAttempt> {
 public:
  TunnelAttempt(asio::io_context& io, Millis timeout, std::shared_ptr<Attempt> main,
                const std::vector<Comparison>& comparisons)
      : timer_(io), timeout_(timeout), main_(std::move(main)), comparisons_(comparisons) {}

  void start(Done done) override {
    done_ = std::move(done);
    timer_.expires_after(timeout_ / 2);
    timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
      if (!error && self->done_) self->compare();
    });
    main_->start([this](Judgement judgement) { onMain(std::move(judgement)); });
  }

  void cancel() override {
    done_ = nullptr;
    timer_.cancel();
    main_->cancel();
    for (const auto& other : others_) other->cancel();
  }

  Judgement timedOut() const override { return explain(failed_ ? *failed_ : main_->timedOut()); }

 private:
  void onMain(Judgement judgement) {
    if (judgement.answer == Answer::fail && mayBeTheWay(judgement.kind)) {
      failed_ = std::move(judgement);
      compare();
      return endIfAllSaid();
    }
    end(std::move(judgement));
  }

  void compare() {
    if (std::exchange(compared_, true)) return;
    unsaid_ = comparisons_.size();
    passed_.resize(comparisons_.size());
    for (std::size_t i = 0; i < comparisons_.size(); ++i) {
      others_.push_back(comparisons_[i].attempts->make());
    }
    const auto self = shared_from_this();  // one may end everything at once
    for (std::size_t i = 0; i < others_.size() && done_; ++i) {
      others_[i]->start([this, i](const Judgement& judgement) {
        passed_[i] = judgement.answer == Answer::pass || judgement.answer == Answer::drain;
        --unsaid_;
        endIfAllSaid();
      });
    }
  }

  void endIfAllSaid() {
    if (failed_ && unsaid_ == 0) end(explain(*failed_));
  }

  // The first comparison that passed says most.
  Judgement explain(Judgement judgement) const {
    if (!mayBeTheWay(judgement.kind)) return judgement;
    for (std::size_t i = 0; i < passed_.size(); ++i) {
      if (passed_[i]) return failed(comparisons_[i].meaning, comparisons_[i].reason);
    }
    return judgement;
  }

  void end(Judgement judgement) {
    if (!done_) return;
    const auto self = shared_from_this();
    const Done done = std::exchange(done_, nullptr);
    cancel();
    done(std::move(judgement));
  }

  asio::steady_timer timer_;
  Millis timeout_;
  std::shared_ptr<Attempt> main_;
  const std::vector<Comparison>& comparisons_;
  std::vector<std::shared_ptr<Attempt>> others_;
  std::vector<char> passed_;
  std::size_t unsaid_ = 0;
  bool compared_ = false;
  std::optional<Judgement> failed_;
  Done done_;  // empty: over
};

class TunnelAttempts final : public Attempts {
 public:
  TunnelAttempts(const Shared& shared, const Probe& probe) : shared_(shared), probe_(probe) {
    if (probe.dataPath->fullSize) {
      auto& small = comparisons_.emplace_back();
      small.probe = probe;
      small.probe.dataPath->fullSize = false;
      small.meaning = FailureKind::mtu;
      small.reason = "only small packets get through the tunnel: its MTU is not what it should be";
    }
    auto& direct = comparisons_.emplace_back();
    direct.probe = probe;
    direct.probe.dataPath.reset();
    const bool sameFamily = probe.source && probe.source->family() == probe.target.address.family();
    if (!sameFamily) direct.probe.source.reset();
    direct.reason =
        "no answer through the tunnel, while " + probe.target.str() + " answers directly";
  }

  Status prepare() {
    auto main = plainAttempts(shared_, probe_);
    if (!main) return tl::unexpected(main.error());
    main_ = *std::move(main);
    for (auto& comparison : comparisons_) {
      auto attempts = plainAttempts(shared_, comparison.probe);
      if (!attempts) return tl::unexpected(attempts.error());
      comparison.attempts = *std::move(attempts);
    }
    return {};
  }

  std::shared_ptr<Attempt> make() override {
    return std::make_shared<TunnelAttempt>(shared_.io, probe_.timeout, main_->make(), comparisons_);
  }

 private:
  const Shared& shared_;
  const Probe& probe_;
  std::vector<Comparison> comparisons_;  // does not change: attempts refer to its probes
  std::unique_ptr<Attempts> main_;
};

}  // namespace

Result<std::unique_ptr<Attempts>> tunnelAttempts(const Attempts::Shared& shared,
                                                 const Probe& probe) {
  auto attempts = std::make_unique<TunnelAttempts>(shared, probe);
  if (const auto prepared = attempts->prepare(); !prepared) {
    return tl::unexpected(prepared.error());
  }
  return attempts;
}

}  // namespace l4ward::healthcheck
