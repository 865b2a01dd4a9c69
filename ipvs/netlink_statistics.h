// Reads IPVS's counters from the running kernel. For one thread, and a channel of its own: a
// reading must not wait for changes that are being made, nor hold them up.
#pragma once

#include "base/result.h"
#include "ipvs/channel.h"
#include "ipvs/netlink_dump.h"
#include "ipvs/statistics.h"

namespace l4ward::ipvs {

class NetlinkStatistics {
 public:
  explicit NetlinkStatistics(NetlinkOptions options = {})
      : NetlinkStatistics(netlinkChannels(options), options) {}
  NetlinkStatistics(ChannelFactory channels, NetlinkOptions options)
      : dump_(std::move(channels), options) {}

  // Of all services in the network namespace, those of others too. Takes one request for all
  // services and one for each. As NetlinkKernel::dump() it is repeated if the table changed
  // meanwhile; counters go on while they are read.
  Result<Statistics> read();

 private:
  NetlinkDump dump_;
};

}  // namespace l4ward::ipvs
