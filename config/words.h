// What the file's words may look like: names, interfaces, hosts, paths, numbers. Each takes one
// text and answers for it alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
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
// 1..32 capitals. Not CONNECT, whose target is no path (RFC 9110, 9.3.6).
bool isHttpMethod(std::string_view text);
// 0..1024 bytes of printable ASCII and blanks, none of them first or last (RFC 9110, 5.5).
bool isHeaderValue(std::string_view text);
// Labels of 1..63 of [A-Za-z0-9_-], at most 253 bytes with the dots between; may end with one more.
bool isDomainName(std::string_view text);
// What a certificate can be for: a domain name without a dot at its end, or an address.
bool isServerName(std::string_view text);
// A protocol's name in TLS (RFC 7301): 1..255 bytes of printable ASCII without blanks.
bool isAlpn(std::string_view text);
// package.Service: 1..255 bytes of printable ASCII without blanks.
bool isGrpcService(std::string_view text);
// 1..32 of [A-Za-z0-9._-], not beginning with '-'.
bool isUserName(std::string_view text);
// What a program can be given: anything without a NUL.
bool isArgument(std::string_view text);
// A path: 1..1024 bytes of printable ASCII without blanks or quotes.
bool isFile(std::string_view text);
// The same, beginning with '/'.
bool isAbsoluteFile(std::string_view text);
// net.ipv4.vs.KEY, net.ipv4.conf.INTERFACE.KEY or net.ipv6.conf.INTERFACE.KEY, of [a-z0-9_-].
bool isSysctlKey(std::string_view text);
// 1..64 letters, digits, blanks, ',' or '-'.
bool isSysctlValue(std::string_view text);

// The bytes that \r, \n, \t, \\ and \xHH stand for; none if there is any other backslash.
std::optional<std::string> unescape(std::string_view text);

}  // namespace l4ward::config
