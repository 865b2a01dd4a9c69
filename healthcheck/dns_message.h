// DNS messages (RFC 1035, section 4): encodes a query, reads the answer to it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/result.h"
#include "healthcheck/job.h"

namespace l4ward::healthcheck {

inline constexpr std::size_t maxDnsMessageBytes = 65535;
// Of the type asked for; those behind are not looked at.
inline constexpr std::size_t maxDnsRecords = 512;

std::string_view toString(DnsType type);         // "A", "AAAA", ...
std::string dnsResponseCodeName(unsigned code);  // "NXDOMAIN" (RFC 6895, section 2.3), "RCODE 12"

// One question of class IN, recursion desired, no EDNS. An error if `name` is no domain name: an
// empty label, one over 63 bytes, more than 255 bytes in all.
Result<std::string> encodeDnsQuery(std::uint16_t id, std::string_view name, DnsType type);

struct DnsAnswer {
  unsigned responseCode = 0;  // RCODE
  bool truncated = false;     // TC
  // Of the answer section's records of the type and class asked for, whoever owns them: behind a
  // CNAME they have another owner. In their usual text, names without the dot at the end, and what
  // is not printable in a name as RFC 1035's \DDD. TXT: the joined bytes as they are.
  std::vector<std::string> records;
};

enum class DnsUnusable {
  notTheAnswer,  // to this query: another id or question, or a query itself
  malformed
};

// `message` without TCP's length; `query` as encodeDnsQuery made it. An answer without a question
// counts if it reports an error: servers that did not understand the query send such. When
// `message` is truncated, its last record may be incomplete.
tl::expected<DnsAnswer, DnsUnusable> parseDnsAnswer(std::string_view message,
                                                    std::string_view query);

}  // namespace l4ward::healthcheck
