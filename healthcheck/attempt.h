// One probe on its way. Knows no time: whoever made it ends it at the deadline. All on the
// io_context's thread.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "base/asio.h"
#include "base/result.h"
#include "healthcheck/job.h"
#include "healthcheck/judgement.h"

namespace l4ward::healthcheck {

class Attempt {
 public:
  using Done = std::function<void(Judgement)>;

  Attempt() = default;
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  virtual ~Attempt() = default;

  // `done` is called once, unless cancel() comes first; maybe before start() returns.
  virtual void start(Done done) = 0;
  // Gives back what the attempt holds: sockets, processes. `done` will not be called any more.
  virtual void cancel() = 0;
  // The judgement if the deadline passes now.
  virtual Judgement timedOut() const = 0;
};

// Makes the attempts of one job; keeps what they share (a request, a TLS session to resume).
class Attempts {
 public:
  struct Shared {
    asio::io_context& io;
    std::span<char> scratch;  // to receive into; shared by all attempts of the thread
  };

  Attempts() = default;
  Attempts(const Attempts&) = delete;
  Attempts& operator=(const Attempts&) = delete;
  virtual ~Attempts() = default;
  // This outlives the attempt's end, but not always the attempt, which handlers keep alive.
  virtual std::shared_ptr<Attempt> make() = 0;
  // Calls `now` whenever what is probed has changed, if that can be known without probing.
  virtual void watch(const std::function<void()>& /*now*/) {}
};

// `shared` and `probe` outlive what is made. An error: this node lacks something that every attempt
// needs (a file of certificates, a user's name); try again later.
Result<std::unique_ptr<Attempts>> makeAttempts(const Attempts::Shared& shared, const Probe& probe);

// Of each kind.
Result<std::unique_ptr<Attempts>> streamAttempts(const Attempts::Shared& shared,
                                                 const Probe& probe);
Result<std::unique_ptr<Attempts>> datagramAttempts(const Attempts::Shared& shared,
                                                   const Probe& probe);
Result<std::unique_ptr<Attempts>> icmpAttempts(const Attempts::Shared& shared, const Probe& probe);
Result<std::unique_ptr<Attempts>> execAttempts(const Attempts::Shared& shared, const Probe& probe);
Result<std::unique_ptr<Attempts>> fileAttempts(const Attempts::Shared& shared, const Probe& probe);

}  // namespace l4ward::healthcheck
