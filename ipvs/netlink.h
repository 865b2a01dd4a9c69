// IPVS in the running kernel, over generic netlink. For one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "ipvs/channel.h"
#include "ipvs/exchange.h"
#include "ipvs/kernel.h"
#include "ipvs/messages.h"
#include "ipvs/netlink_dump.h"

namespace l4ward::ipvs {

class NetlinkKernel final : public Kernel {
 public:
  // Finds IPVS. Errors: not in the kernel (ENOENT). Schedulers are loaded by the kernel when a
  // service first names them.
  static Result<std::unique_ptr<NetlinkKernel>> open(NetlinkOptions options = {});
  // The same over other channels: one is opened at once, and one after each that broke.
  static Result<std::unique_ptr<NetlinkKernel>> open(ChannelFactory channels,
                                                     NetlinkOptions options = {});

  // Foreign services are included, but not those of other protocols than tcp, udp and sctp. Takes
  // one request for all services and one for each. Repeated over a new channel, a few times at
  // most, if the table changed meanwhile (then ESTALE) or answers were lost (ENOBUFS).
  Result<ActualTable> dump() override;

  // As dump(); one request for each service, many of them in one datagram, and one more for those
  // that exist.
  Result<ActualTable> dump(std::span<const ServiceKey> services) override;

  // A broken channel is opened again by the next dump() or apply(). If it breaks, the batch under
  // way and all behind it are reported as failed, and `unknown` is set.
  ApplyReport apply(std::span<const Operation> operations) override;

  // Operations sent since open(), failed ones too.
  std::uint64_t writes() const { return writes_; }

 private:
  NetlinkKernel(ChannelFactory channels, NetlinkOptions options);
  Result<ActualTable> repeated(const std::function<Status(ActualTable&)>& read);
  Status readServices(ActualTable& table);
  Status readServices(std::span<const ServiceKey> keys, ActualTable& table);
  Status readDestinations(ActualTable& table);
  Status readDestinations(const ServiceKey& key, ActualService& service);
  Status applyBatch(std::span<const Operation> batch, std::size_t first, ApplyReport& report);
  Status sendBatch(std::span<const Operation> batch, std::size_t first,
                   std::vector<OperationFailure>& failures);

  NetlinkOptions options_;
  NetlinkDump dump_;
  Bytes request_;  // the datagram to send; kept for its memory
  std::uint64_t writes_ = 0;
};

}  // namespace l4ward::ipvs
