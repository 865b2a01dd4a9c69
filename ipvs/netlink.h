// IPVS in the running kernel, over generic netlink. For one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "ipvs/kernel.h"
#include "ipvs/messages.h"
#include "ipvs/netlink_channel.h"

namespace l4ward::ipvs {

struct NetlinkOptions {
  Millis timeout{5000};  // for the kernel's answer to one datagram
  // Operations in one datagram, 1 to 1000. Only failures and the last operation are answered; at
  // the default, answers to a batch in which everything fails still fit the receive buffer that a
  // socket has without CAP_NET_ADMIN.
  std::size_t batch = 128;
  int receiveBuffer = 1 << 20;  // bytes, of which the kernel allows twice as many
};

class NetlinkKernel final : public Kernel {
 public:
  // Finds IPVS, for which the kernel loads the module ip_vs if there is one. Errors: not in the
  // kernel (ENOENT). Schedulers are loaded by the kernel when a service first names them.
  static Result<std::unique_ptr<NetlinkKernel>> open(NetlinkOptions options = {});

  // Foreign services are included, but those with firewall marks and with other protocols than
  // tcp, udp and sctp are not. Takes one request for all services and one for each. Repeated, a few
  // times at most, if the table changed meanwhile.
  Result<ActualTable> dump() override;

  // A broken channel is opened again by the next dump() or apply(). If it breaks, the batch under
  // way and all behind it are reported as failed, and `unknown` is set.
  ApplyReport apply(std::span<const Operation> operations) override;

  // Operations sent since open(), failed ones too.
  std::uint64_t writes() const { return writes_; }

 private:
  struct Failure {
    int code = 0;
    std::string explanation;
  };
  using Element = std::function<Status(ByteView attributes)>;

  explicit NetlinkKernel(NetlinkOptions options) : options_(options) {}
  Status connect();
  Result<ActualTable> dumpOnce();
  Status dumpDestinations(const ServiceKey& key, ActualService& service);
  Status collect(const Bytes& request, std::uint32_t sequence, const Element& element);
  Status applyBatch(std::span<const Operation> batch, std::size_t first, ApplyReport& report);
  Result<std::map<std::uint32_t, Failure>> awaitBatch(std::uint32_t last);

  NetlinkOptions options_;
  std::optional<NetlinkChannel> channel_;  // none: broken or not opened yet
  std::uint64_t writes_ = 0;
};

}  // namespace l4ward::ipvs
