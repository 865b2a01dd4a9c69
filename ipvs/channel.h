// The way to one family of generic netlink: datagrams out, datagrams in, each wait bounded. A
// socket in the product (netlink_channel.h), a script in tests. For one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "ipvs/messages.h"

namespace l4ward::ipvs {

class Channel {
 public:
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  virtual ~Channel() = default;

  virtual std::uint16_t family() const = 0;  // for RequestHeader
  // Each is one more than the one before.
  virtual std::uint32_t nextSequence() = 0;
  virtual TimePoint now() const { return Clock::now(); }

  // Sends one datagram. The kernel carries its requests out, in order, before this returns.
  virtual Status send(ByteView datagram) = 0;

  // One datagram from the kernel; valid until the next call. Errors, after which the channel is of
  // no more use: ETIMEDOUT at the deadline, ENOBUFS if the kernel dropped answers, EMSGSIZE if one
  // was longer than the buffer.
  virtual Result<ByteView> receive(TimePoint deadline) = 0;
};

// Opens a channel; called again when one broke. An error with code ENOENT: the kernel does not have
// the family.
using ChannelFactory = std::function<Result<std::unique_ptr<Channel>>()>;

}  // namespace l4ward::ipvs
