// A generic netlink socket to one kernel family: datagrams out, datagrams in, each wait bounded.
// For one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "ipvs/messages.h"

struct nl_sock;

namespace l4ward::ipvs {

class NetlinkChannel {
 public:
  // Connects and finds the family's number, which also makes the kernel load the family's module
  // if it can. Answers wait in the receive buffer (bytes), where a short one takes about 800. An
  // error with code ENOENT: the kernel does not have the family.
  static Result<NetlinkChannel> open(const std::string& family, Millis timeout, int receiveBuffer);

  NetlinkChannel(NetlinkChannel&&) noexcept;
  NetlinkChannel& operator=(NetlinkChannel&&) noexcept;
  ~NetlinkChannel();

  std::uint16_t family() const { return family_; }
  std::uint32_t nextSequence() { return ++sequence_; }

  // Sends one datagram. The kernel carries its requests out, in order, before this returns.
  Status send(ByteView datagram);

  // One datagram from the kernel; valid until the next call. Errors, after which the channel is of
  // no more use: ETIMEDOUT at the deadline, ENOBUFS if the kernel dropped answers.
  Result<ByteView> receive(TimePoint deadline);

 private:
  NetlinkChannel();
  Status configure(int receiveBuffer);
  Result<std::size_t> receiveNow();

  struct Free {
    void operator()(nl_sock* socket) const;
  };
  std::unique_ptr<nl_sock, Free> socket_;
  std::vector<std::uint32_t> buffer_;  // words: netlink headers need the alignment
  std::uint16_t family_ = 0;
  std::uint32_t sequence_ = 0;
};

}  // namespace l4ward::ipvs
