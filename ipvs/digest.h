// A short text that two nodes can compare to see that they send the same flow to the same server.
//
// Format, version 1: "mh1:SIZE:HASH", for instance "mh1:4093:0123456789abcdef". SIZE is the number
// of slots, decimal. HASH is the 64-bit FNV-1a hash (draft-eastlake-fnv) as 16 lower-case
// hexadecimal digits, of these bytes:
//   1 byte   bit 0: mh-fallback, bit 1: mh-port
//   for each slot in turn its owner:
//     1 byte   4 or 6, the family of the owner's address
//     4 or 16  the address
//     2 bytes  the port, high byte first
// A table without servers has no slots here. The text is the same on all hosts; another version
// gets another number in front, and then texts of the two must not be compared.
//
// It depends on size, flags, the order of the list and last weights, but not on which servers are
// out at the moment. It guards against mistakes, not against somebody who wants equal digests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "ipvs/maglev.h"
#include "ipvs/plan.h"
#include "ipvs/types.h"

namespace l4ward::ipvs {

// `flags`: the service's; only kFlagMhFallback and kFlagMhPort count.
std::string digest(const MaglevTable& table, std::uint32_t flags);

// Of a service as dumped. Nothing where maglevTable() (ipvs/maglev_service.h) has nothing: another
// scheduler, a last weight that is not known, more destinations than slots.
std::optional<std::string> digest(const ServiceKey& key, const ActualService& service,
                                  const LastWeights& lastWeights, std::size_t size);

}  // namespace l4ward::ipvs
