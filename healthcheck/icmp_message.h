// ICMP and ICMPv6 messages (RFC 792, RFC 4443): the echo request, its reply, what errors say. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/ip.h"

namespace l4ward::healthcheck {

// What tells one request's reply from all others.
struct Echo {
  std::uint16_t id = 0;
  std::uint16_t sequence = 0;
  std::array<char, 16> payload{};
};

// The echo request. ICMP's has its checksum; ICMPv6's is the kernel's to fill in.
std::string encodeEcho(const Echo& echo, Family family);

// Whether `message` is the reply to this request. `message` begins with the IP header where raw
// IPv4 sockets are read (`withIpHeader`), else with ICMP's.
bool isReply(std::string_view message, const Echo& echo, Family family, bool withIpHeader);

// Whether `quoted`, out of an ICMP error, is the beginning of this request; it need only have the
// eight bytes that every error quotes.
bool quotesRequest(std::string_view quoted, const Echo& echo, Family family);

bool isPortUnreachable(Family family, std::uint8_t type, std::uint8_t code);
// "host unreachable", "time to live exceeded", "ICMP error 12/1"
std::string describeIcmpError(Family family, std::uint8_t type, std::uint8_t code);

}  // namespace l4ward::healthcheck
