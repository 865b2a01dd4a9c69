// The IPVS generic netlink protocol as bytes: requests are encoded, datagrams from the kernel are
// decoded. No sockets. Source: include/uapi/linux/ip_vs.h, net/netfilter/ipvs/ip_vs_ctl.c,
// include/uapi/linux/netlink.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ipvs/plan.h"
#include "ipvs/statistics.h"
#include "ipvs/types.h"

namespace l4ward::ipvs {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

struct RequestHeader {
  std::uint16_t family = 0;    // the number that the kernel gave to the family "IPVS"
  std::uint32_t sequence = 0;  // comes back in every answer
  bool acknowledge = false;    // answer also if it succeeds; a failure is always answered
};

// Append one request to `out`; several may go out in one datagram. An error if the name of the
// scheduler or of the persistence engine is longer than the kernel's 15 characters (code EINVAL);
// `out` is as before then.
Status appendRequest(Bytes& out, const RequestHeader& header, const Operation& operation);

// The same for many requests in a row, faster: one that adds or edits a destination of the same
// service in the same way as the one before differs from it in four fields only.
class RequestWriter {
 public:
  // The request of `operation`, which must live until the next call, goes to the end of `out`; what
  // was written before must still be there.
  Status append(Bytes& out, const RequestHeader& header, const Operation& operation);

 private:
  void remember(const Bytes& out, std::size_t start, const Operation& operation);

  const Operation* last_ = nullptr;  // nothing to copy from
  std::size_t start_ = 0;            // of its request in `out`
  std::size_t size_ = 0;
  // Into the request.
  std::size_t address_ = 0;
  std::size_t port_ = 0;
  std::size_t weight_ = 0;
};

void appendDumpServices(Bytes& out, const RequestHeader& header);
void appendDumpDestinations(Bytes& out, const RequestHeader& header, const ServiceKey& service);
// One service without its destinations: answered by one Reply::Kind::data, or the code ESRCH.
void appendGetService(Bytes& out, const RequestHeader& header, const ServiceKey& service);

// One message of a datagram from the kernel.
struct Reply {
  enum class Kind : std::uint8_t {
    data,    // an element of a dump, in `attributes`
    status,  // the answer to a request: `code` 0 is success
    done     // the end of a dump; `code` as for status
  };
  Kind kind = Kind::data;
  std::uint32_t sequence = 0;
  int code = 0;              // errno
  std::string message;       // the kernel's explanation of a failure, often empty
  bool interrupted = false;  // what is dumped changed meanwhile: dump again
  ByteView attributes;       // into the datagram
};

// The messages of one datagram, which must be aligned for 32-bit values, as heap and stack buffers
// are. An error if it is not made of whole messages.
Result<std::vector<Reply>> splitReplies(ByteView datagram);

struct DumpedService {
  ServiceKey key;
  ServiceConfig config;
  Counters counters = {};
};
// Nothing: a service that has no ServiceKey (another protocol).
Result<std::optional<DumpedService>> decodeService(ByteView attributes);
// `service`: the family of kernels that do not say the destination's (before 3.18).
Result<Destination> decodeDestination(ByteView attributes, Family service);
// Counters are 0 where the kernel does not tell them (STATS64 came with 4.0).
Result<std::pair<Endpoint, DestinationStatistics>> decodeDestinationStatistics(ByteView attributes,
                                                                               Family service);

}  // namespace l4ward::ipvs
