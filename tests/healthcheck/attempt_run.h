// Runs one attempt until it ends.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <stdexcept>

#include "base/clock.h"
#include "healthcheck/attempt.h"

namespace l4ward::healthcheck {

class AttemptRun {
 public:
  using Make = Result<std::unique_ptr<Attempts>>(const Attempts::Shared&, const Probe&);

  AttemptRun(Make& make, Probe probe)
      : probe_(std::move(probe)), attempts_(make(shared_, probe_).value()) {}

  Attempt& start() {
    attempt_ = attempts_->make();
    attempt_->start([this](Judgement judgement) {
      if (judgement_) throw std::logic_error("ended twice");
      judgement_ = std::move(judgement);
    });
    return *attempt_;
  }

  // Runs the handlers until the attempt has ended or `enough` says so; throws when that never
  // comes.
  template <typename Enough>
  void runUntil(Enough enough) {
    const auto limit = Clock::now() + patience;
    while (!judgement_ && !enough()) {
      if (Clock::now() > limit) throw std::runtime_error("the attempt did not end");
      io_.restart();
      io_.run_one_for(Millis(10));
    }
  }

  Judgement finish() {
    runUntil([] { return false; });
    return *judgement_;
  }

  // Whatever is still to be done, with nothing left to wait for.
  void drain() {
    io_.restart();
    io_.run_for(patience);
  }

  bool ended() const { return judgement_.has_value(); }

 private:
  // Far beyond what a loaded machine needs: reached only by a defect.
  static constexpr Millis patience{20000};

  asio::io_context io_;
  std::array<char, 16 * 1024> scratch_{};
  Attempts::Shared shared_{io_, scratch_};
  Probe probe_;
  std::unique_ptr<Attempts> attempts_;
  std::shared_ptr<Attempt> attempt_;
  std::optional<Judgement> judgement_;
};

inline Judgement runOnce(AttemptRun::Make& make, const Probe& probe) {
  AttemptRun run(make, probe);
  run.start();
  return run.finish();
}

}  // namespace l4ward::healthcheck
