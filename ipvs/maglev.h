// The kernel's Maglev scheduler, computed here: which server a flow would be given.
//
// Source: net/netfilter/ipvs/ip_vs_mh.c of Linux 6.1 and the Maglev paper (Eisenbud et al., NSDI
// 2016, section 3.4). For 64-bit kernels: on 32 bits the kernel's hsiphash is another function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ip.h"
#include "ipvs/types.h"

namespace l4ward::ipvs {

struct MaglevServer {
  Endpoint address;
  std::uint32_t lastWeight = 1;  // its share of the slots; 0: none
  bool available = true;         // weight above 0

  bool operator==(const MaglevServer&) const = default;
};

class MaglevTable {
 public:
  // Debian's CONFIG_IP_VS_MH_TAB_INDEX=12. Other kernels: a prime, 251 to 131071.
  static constexpr std::size_t kDefaultSize = 4093;

  // `servers` in the kernel's list order, head first. The family is the service's: the kernel
  // hashes each server's address as one of that family, so that of an IPv6 server in an IPv4
  // service only the first 32 bits count.
  MaglevTable(Family service, std::vector<MaglevServer> servers, std::size_t size = kDefaultSize);

  // The server for a new flow from `client`; the port counts if flags have kFlagMhPort. Nothing:
  // the flow is refused.
  std::optional<Endpoint> serverFor(const Endpoint& client, std::uint32_t flags) const;

  // For each slot an index into the servers; empty if no server has a weight.
  const std::vector<std::uint32_t>& slots() const { return slots_; }
  const std::vector<MaglevServer>& servers() const { return servers_; }

  bool operator==(const MaglevTable&) const = default;

 private:
  std::size_t slotOf(const Endpoint& client, std::uint32_t flags, std::size_t offset) const;

  Family service_;
  std::size_t size_;
  std::vector<MaglevServer> servers_;
  std::vector<std::uint32_t> slots_;
};

}  // namespace l4ward::ipvs
