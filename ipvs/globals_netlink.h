// Timeouts and synchronisation daemons of IPVS in the running kernel. For one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "base/clock.h"
#include "base/result.h"
#include "ipvs/channel.h"
#include "ipvs/exchange.h"
#include "ipvs/globals.h"
#include "ipvs/messages.h"

namespace l4ward::ipvs {

class NetlinkGlobals final : public GlobalsKernel {
 public:
  // Opens a channel when one is needed, and another one when it broke; see netlinkChannels().
  // `timeout` is for the answer to each request.
  explicit NetlinkGlobals(ChannelFactory channels, Millis timeout = Millis(5000));

  Result<Globals> dump() override;

  // If the channel breaks, the operation under way and all behind it are reported as failed, and
  // `unknown` is set.
  ApplyReport apply(std::span<const GlobalsOperation> operations) override;

 private:
  using Take = std::function<Result<bool>(ByteView attributes)>;

  Status connect();
  Status readTimeouts(Timeouts& timeouts);
  Status readDaemons(Globals& globals);
  Status ask(std::uint32_t sequence, const Take& take);
  Result<std::optional<Error>> run(const GlobalsOperation& operation);

  ChannelFactory channels_;
  Millis timeout_;
  std::unique_ptr<Channel> channel_;  // none: broken or not opened yet
  Bytes request_;
};

}  // namespace l4ward::ipvs
