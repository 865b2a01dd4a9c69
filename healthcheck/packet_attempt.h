// An attempt of one packet: sends it and waits for one that answers it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "base/unique_fd.h"
#include "healthcheck/attempt.h"
#include "healthcheck/error_queue.h"

namespace l4ward::healthcheck {

class PacketAttempt : public Attempt, public std::enable_shared_from_this<PacketAttempt> {
 public:
  PacketAttempt(const Attempts::Shared& shared, const Probe& probe);

  void start(Done done) final;
  void cancel() final;
  Judgement timedOut() const override;

 protected:
  // Called in this order. A socket for packets, connected to the destination.
  virtual tl::expected<UniqueFd, Judgement> openConnected() = 0;
  // The packet to send; may be empty.
  virtual std::string_view request() = 0;
  // Each packet that comes, and each error that somebody reported by ICMP. Nothing: wait on.
  virtual std::optional<Judgement> onPacket(std::string_view packet) = 0;
  virtual std::optional<Judgement> onError(const NetworkError& error) = 0;

  const Probe& probe() const { return probe_; }
  Family family() const;
  // What was reported, and by whom if not by the destination itself.
  std::string describe(const NetworkError& error) const;

 private:
  void await();
  void receive();
  std::optional<Judgement> judgeErrors(int code);
  void end(Judgement judgement);

  const Attempts::Shared& shared_;
  const Probe& probe_;
  asio::posix::stream_descriptor socket_;
  Done done_;  // empty: over
};

}  // namespace l4ward::healthcheck
