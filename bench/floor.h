// The least that a program can do for the same table: requests that were encoded before, sent in
// large datagrams, one acknowledgement for each.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ipvs/messages.h"
#include "ipvs/plan.h"

struct nl_sock;

namespace l4ward::bench {

// A plain netlink socket to IPVS, with none of l4ward's own channel.
class Floor {
 public:
  // Throws std::runtime_error if the kernel has no IPVS.
  Floor();

  // Encodes the operations in datagrams of `batch` each; the last of each asks for an answer.
  void encode(std::span<const ipvs::Operation> operations, std::size_t batch);
  // Encodes requests for all services and for the servers of each, one a datagram.
  void encodeDump(const ipvs::WantedTable& table);

  // Sends what was encoded, each datagram when the one before it was answered. Throws
  // std::runtime_error if a request failed.
  void send();

 private:
  struct Datagram {
    ipvs::Bytes bytes;
    std::uint32_t last = 0;  // the sequence number whose answer ends it
  };
  struct Free {
    void operator()(nl_sock* socket) const;
  };
  void await(std::uint32_t last);

  std::unique_ptr<nl_sock, Free> socket_;
  std::uint16_t family_ = 0;
  std::uint32_t sequence_ = 0;
  std::vector<Datagram> datagrams_;
  std::vector<std::uint32_t> buffer_;  // words: netlink headers need the alignment
};

}  // namespace l4ward::bench
