#include "ipvs/netlink_dump.h"

#include <linux/ip_vs.h>

#include <string>
#include <utility>

#include "ipvs/exchange.h"
#include "ipvs/netlink_channel.h"
#include "ipvs/netlink_errors.h"

namespace l4ward::ipvs {
namespace {

constexpr int kTries = 5;
constexpr int kChanged = ESTALE;

}  // namespace

ChannelFactory netlinkChannels(const NetlinkOptions& options) {
  return [timeout = options.timeout, receiveBuffer = options.receiveBuffer] {
    return NetlinkChannel::open(IPVS_GENL_NAME, timeout, receiveBuffer);
  };
}

tl::unexpected<Error> NetlinkDump::changed() {
  return fail("IPVS changed each time that it was read", kChanged);
}

Status NetlinkDump::connect() {
  if (channel_) return {};
  auto channel = channels_();
  if (!channel) return tl::unexpected(channelError(channel.error()));
  channel_ = *std::move(channel);
  return {};
}

Status NetlinkDump::repeated(const std::function<Status()>& read) {
  Status status;
  for (int i = 0; i < kTries; ++i) {
    if (auto connected = connect(); !connected) return connected;
    status = read();
    if (status) return status;
    drop();  // there may be the rest of a dump in it
    if (status.error().code != kChanged && status.error().code != ENOBUFS) break;
  }
  return tl::unexpected(channelError(status.error()));
}

Status NetlinkDump::services(const Element& element) {
  request_.clear();
  const auto sequence = channel_->nextSequence();
  appendDumpServices(request_, {channel_->family(), sequence});
  return collect(sequence, element);
}

Status NetlinkDump::destinations(const ServiceKey& key, const Element& element) {
  request_.clear();
  const auto sequence = channel_->nextSequence();
  appendDumpDestinations(request_, {channel_->family(), sequence}, key);
  return collect(sequence, element);
}

// Sends the dump request `request_` and hands every element that comes to `element`.
Status NetlinkDump::collect(std::uint32_t sequence, const Element& element) {
  std::size_t count = 0;
  return exchange(*channel_, request_, options_.timeout, [&](const Reply& reply) -> Result<bool> {
    if (reply.sequence != sequence) return false;
    if (reply.interrupted) return changed();
    if (reply.kind != Reply::Kind::data) {
      if (reply.code != 0) return failErrno("cannot read IPVS", reply.code);
      return true;
    }
    if (++count > options_.maxElements) {
      return fail("the kernel lists more than " + std::to_string(options_.maxElements) +
                      " IPVS services or servers of one service",
                  E2BIG);
    }
    if (const auto taken = element(reply.attributes); !taken) return tl::unexpected(taken.error());
    return false;
  });
}

}  // namespace l4ward::ipvs
