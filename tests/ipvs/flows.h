// New flows for IPVS in the running kernel, and where it sent them.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <span>

#include "base/ip.h"
#include "base/unique_fd.h"
#include "tests/ipvs/own_network.h"

namespace l4ward::ipvs {

// A client that sends to a virtual IP; both of one family.
struct Flow {
  Endpoint client;
  Endpoint vip;
  auto operator<=>(const Flow&) const = default;
};

// Sends the first packet of UDP flows, from any addresses.
class FlowSender {
 public:
  FlowSender();  // throws without CAP_NET_RAW

  // A packet that IPVS refuses or cannot forward is no error.
  void send(std::span<const Flow> flows);
  void send(const Flow& flow) { send({&flow, 1}); }

 private:
  UniqueFd v4_, v6_;
};

// The kernel's table of UDP connections: which server each flow was given. Reading it takes time
// with the square of its length.
std::map<Flow, Endpoint> connections();

// IPVS with routes to everywhere, and 198.51.100.1 and 2001:db8::c633:6401 as own addresses.
class FlowKernel : public RealKernel {
 protected:
  void SetUp() override;

  std::optional<FlowSender> sender;  // of the test's own network
};

}  // namespace l4ward::ipvs
