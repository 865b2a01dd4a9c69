// The kernel's Maglev scheduler, computed here: which server a flow would be given.
//
// Source: net/netfilter/ipvs/ip_vs_mh.c of Linux 6.1 and the Maglev paper (Eisenbud et al., NSDI
// 2016, section 3.4). For 64-bit kernels: on 32 bits the kernel's hsiphash is another function.
// Held to the kernel's own decisions by tests/ipvs/maglev_golden_test.cc and, on a running kernel,
// by tests/ipvs/maglev_history_vmtest.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/ip.h"
#include "ipvs/types.h"

namespace l4ward::ipvs {

// How many slots a table can have, ascending: a kernel is built with one of these, which its
// CONFIG_IP_VS_MH_TAB_INDEX (8 to 17) selects. Which one it is: ipvs/table_size.h.
inline constexpr std::array<std::size_t, 10> kMaglevSizes{251,  509,   1021,  2039,  4093,
                                                          8191, 16381, 32749, 65521, 131071};
inline constexpr unsigned kMinMaglevIndex = 8;  // the CONFIG_IP_VS_MH_TAB_INDEX of the first size

bool isMaglevSize(std::size_t size);
// To how many bits weights are cut in a table of that size, 4 to 8. `size`: one of kMaglevSizes.
unsigned maglevWeightBits(std::size_t size);

struct MaglevServer {
  Endpoint address;
  std::uint32_t lastWeight = 1;  // its share of the slots; 0: none. At most 2^31 - 1
  bool available = true;         // weight above 0 and not above its upper threshold

  bool operator==(const MaglevServer&) const = default;
};

class MaglevTable {
 public:
  static constexpr std::size_t kDefaultSize = 4093;  // Debian's

  // `servers` in the kernel's list order, head first. The family is the service's: the kernel
  // hashes each server's address as one of that family, so that of an IPv6 server in an IPv4
  // service only the first 32 bits count.
  // `size` is one of kMaglevSizes; throws std::invalid_argument otherwise. Of more servers than
  // slots the kernel makes no table (it refuses the scheduler, or keeps the table it has), and the
  // table here is empty.
  MaglevTable(Family service, std::vector<MaglevServer> servers, std::size_t size = kDefaultSize);

  // The server for a new flow from `client`; the port counts if flags have kFlagMhPort. Nothing:
  // the flow is refused. With kFlagMhFallback that happens, too: when no server is available, and
  // with a small probability when almost none is, since the kernel tries size() slots at random.
  std::optional<Endpoint> serverFor(const Endpoint& client, std::uint32_t flags) const;
  // The same as an index into the servers.
  std::optional<std::uint32_t> indexFor(const Endpoint& client, std::uint32_t flags) const;

  // The slot that such a flow is looked for at first: the server is its owner, or, with
  // kFlagMhFallback, another one while that takes none. Below size(), also of an empty table.
  std::size_t slotFor(const Endpoint& client, std::uint32_t flags) const;

  // For each slot an index into the servers; empty if no server has a weight.
  const std::vector<std::uint32_t>& slots() const { return slots_; }
  const std::vector<MaglevServer>& servers() const { return servers_; }
  std::size_t size() const { return size_; }  // slots of the kernel's table, also of an empty one

  bool operator==(const MaglevTable&) const = default;

 private:
  void fill();
  std::uint32_t wordOf(const Endpoint& client, std::uint32_t flags) const;

  Family service_;
  std::size_t size_;
  std::vector<MaglevServer> servers_;
  std::vector<std::uint32_t> slots_;
};

}  // namespace l4ward::ipvs
