// What the file's words may look like: names, interfaces, hosts, paths, numbers. Each takes one
// text and answers for it alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace l4ward::config {

// Decimal digits only: no sign, no leading zero, no point, no exponent.
std::optional<std::uint32_t> parsePlainNumber(std::string_view text);

// 1..64 of [A-Za-z0-9._-]
bool isName(std::string_view text);
// As the kernel has it (dev_valid_name in net/core/dev.c), and printable ASCII: 1..15 bytes, no
// blank, '/' or ':', not "." or "..".
bool isInterfaceName(std::string_view text);
// What a Host header may hold: 1..255 of [A-Za-z0-9._:[]-].
bool isHost(std::string_view text);
// The target of an HTTP request (RFC 9112, origin-form): begins with '/', 1..1024 bytes of
// printable ASCII without blanks or '#', so that nothing can be smuggled into the request.
bool isHttpPath(std::string_view text);
// Absolute, 1..1024 bytes of printable ASCII without blanks or quotes.
bool isAbsoluteFile(std::string_view text);
// "65001:80", each half 0..65535 (RFC 1997).
bool isCommunity(std::string_view text);
// net.ipv4.vs.KEY, net.ipv4.conf.INTERFACE.KEY or net.ipv6.conf.INTERFACE.KEY, of [a-z0-9_-].
bool isSysctlKey(std::string_view text);
// 1..64 letters, digits, blanks, ',' or '-'.
bool isSysctlValue(std::string_view text);

}  // namespace l4ward::config
