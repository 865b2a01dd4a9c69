// Communities of BGP routes as text. Each function takes one text and answers for it alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace l4ward::config {

// "65001:80", each half 0..65535 (RFC 1997), of the same or of a well-known name (IANA's registry
// of them).
std::optional<std::string> parseCommunity(std::string_view text);

// "graceful-shutdown" and the others that parseCommunity takes.
const std::vector<std::string>& communityNames();

// "65001:1:2", each part 0..4294967295 (RFC 8092).
std::optional<std::string> parseLargeCommunity(std::string_view text);

// "target:65001:80" or "origin:…" (RFC 4360). A 16-bit AS has a number of 32 bits with it, any
// other AS (RFC 5668) or an IPv4 address one of 16 bits.
std::optional<std::string> parseExtendedCommunity(std::string_view text);

}  // namespace l4ward::config
