// Whether the kernel holds a table yet, asked so cheaply that who is measured hardly feels it.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "ipvs/types.h"

namespace l4ward::bench {

// The old getsockopt() interface of IPVS answers for one service without a dump and without
// netlink, so that netlink listeners see the measured program only. IPv4.
class ServiceState {
 public:
  enum class Look {
    counts,  // scheduler and number of servers
    first,   // and address and weight of the list's first server
    servers  // and address and weight of all, in any order
  };

  // Throws std::runtime_error without the right to ask (root).
  explicit ServiceState(const ipvs::WantedTable& wanted);

  // Whether the kernel has held what is wanted of each service at some call so far: once seen,
  // a service is not looked at again. `look` deeper than counts happens only if the counts agree.
  bool reached(Look look);

  // In how many services something differs now, servers included.
  std::size_t different() const;

 private:
  struct Server {
    std::uint32_t address = 0;  // network order
    std::uint16_t port = 0;     // network order
    std::uint32_t weight = 0;
    auto operator<=>(const Server&) const = default;
  };
  struct Service {
    std::uint32_t address = 0;  // network order
    std::uint16_t port = 0;     // network order
    std::vector<Server> servers;
    std::uint64_t sum = 0;
  };
  bool holds(const Service& service, Look look) const;
  bool holdsServers(const Service& service, std::size_t count) const;

  UniqueFd socket_;
  std::vector<Service> all_;
  std::deque<const Service*> pending_;
};

}  // namespace l4ward::bench
