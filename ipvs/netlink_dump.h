// Dumps over a channel to IPVS: opened when needed, given up when it broke, each dump bounded and
// repeated if the table changed meanwhile. For one thread.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "ipvs/channel.h"
#include "ipvs/messages.h"

namespace l4ward::ipvs {

struct NetlinkOptions {
  Millis timeout{5000};  // for all answers to one datagram
  // Operations in one datagram, 1 to 1000. Only failures and the last operation are answered; at
  // the default, answers to a batch in which everything fails still fit the receive buffer.
  std::size_t batch = 256;
  int receiveBuffer = 1 << 20;  // bytes, of which the kernel allows twice as many
  // Services, or destinations of one service, that are believed; a longer dump is an error.
  std::size_t maxElements = 1 << 20;
};

// Channels to IPVS in the network namespace of the thread that opens them. Opening one makes the
// kernel load the module ip_vs if there is one.
ChannelFactory netlinkChannels(const NetlinkOptions& options);

class NetlinkDump {
 public:
  NetlinkDump(ChannelFactory channels, const NetlinkOptions& options)
      : channels_(std::move(channels)), options_(options) {}

  // Opens a channel if there is none. Errors are for people.
  Status connect();
  // After connect().
  Channel& channel() { return *channel_; }
  // To be opened again: it broke, or holds the rest of a dump.
  void drop() { channel_.reset(); }

  // Calls `read` until it does not say that IPVS changed (changed()) nor that answers were lost
  // (ENOBUFS), a few times at most and each time over another channel.
  Status repeated(const std::function<Status()>& read);

  // All services; `element` gets each one's attributes. An error of `element` ends it.
  using Element = std::function<Status(ByteView attributes)>;
  Status services(const Element& element);
  // All destinations of one service.
  Status destinations(const ServiceKey& key, const Element& element);

  // What `element` says when it finds a dump that cannot be right.
  static tl::unexpected<Error> changed();

 private:
  Status collect(std::uint32_t sequence, const Element& element);

  ChannelFactory channels_;
  NetlinkOptions options_;
  std::unique_ptr<Channel> channel_;
  Bytes request_;  // kept for its memory
};

}  // namespace l4ward::ipvs
