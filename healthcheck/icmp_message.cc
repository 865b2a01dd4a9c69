#include "healthcheck/icmp_message.h"

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

namespace l4ward::healthcheck {
namespace {

constexpr std::size_t headerBytes = 8;
constexpr std::size_t minIpHeaderBytes = 20;

unsigned at(std::string_view bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

// RFC 1071.
std::uint16_t checksum(std::string_view even) {
  unsigned sum = 0;
  for (std::size_t i = 0; i + 1 < even.size(); i += 2) sum += at(even, i) << 8 | at(even, i + 1);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void put16(std::string& bytes, std::size_t index, std::uint16_t value) {
  bytes[index] = static_cast<char>(value >> 8);
  bytes[index + 1] = static_cast<char>(value & 0xff);
}

std::string header(std::uint8_t type, const Echo& echo) {
  std::string bytes(headerBytes, '\0');
  bytes[0] = static_cast<char>(type);
  put16(bytes, 4, echo.id);
  put16(bytes, 6, echo.sequence);
  return bytes;
}

std::uint8_t requestType(Family family) {
  return family == Family::v4 ? std::uint8_t{ICMP_ECHO} : std::uint8_t{ICMP6_ECHO_REQUEST};
}

std::uint8_t replyType(Family family) {
  return family == Family::v4 ? std::uint8_t{ICMP_ECHOREPLY} : std::uint8_t{ICMP6_ECHO_REPLY};
}

// All but the checksum, bytes 2 and 3.
bool sameHeader(std::string_view message, std::string_view expected) {
  return message.size() >= headerBytes && message.substr(0, 2) == expected.substr(0, 2) &&
         message.substr(4, 4) == expected.substr(4, 4);
}

// What is behind an IPv4 header; nothing if it is none.
std::string_view withoutIpHeader(std::string_view packet) {
  if (packet.size() < minIpHeaderBytes || at(packet, 0) >> 4 != 4) return {};
  const std::size_t size = (at(packet, 0) & 0xf) * std::size_t{4};
  if (size < minIpHeaderBytes || size > packet.size()) return {};
  return packet.substr(size);
}

std::string_view nameV4(std::uint8_t type, std::uint8_t code) {
  if (type == ICMP_TIME_EXCEEDED) return "time to live exceeded";
  if (type != ICMP_DEST_UNREACH) return {};
  switch (code) {
    case ICMP_NET_UNREACH:
    case ICMP_NET_UNKNOWN:
      return "network unreachable";
    case ICMP_HOST_UNREACH:
    case ICMP_HOST_UNKNOWN:
      return "host unreachable";
    case ICMP_PROT_UNREACH:
      return "protocol unreachable";
    case ICMP_PORT_UNREACH:
      return "port unreachable";
    case ICMP_FRAG_NEEDED:
      return "packet too large for the path";
    case ICMP_NET_ANO:
    case ICMP_HOST_ANO:
    case ICMP_PKT_FILTERED:
      return "administratively prohibited";
    default:
      return "destination unreachable";
  }
}

std::string_view nameV6(std::uint8_t type, std::uint8_t code) {
  if (type == ICMP6_TIME_EXCEEDED) return "hop limit exceeded";
  if (type == ICMP6_PACKET_TOO_BIG) return "packet too large for the path";
  if (type != ICMP6_DST_UNREACH) return {};
  switch (code) {
    case ICMP6_DST_UNREACH_NOROUTE:
      return "network unreachable";
    case ICMP6_DST_UNREACH_ADMIN:
      return "administratively prohibited";
    case ICMP6_DST_UNREACH_ADDR:
      return "host unreachable";
    case ICMP6_DST_UNREACH_NOPORT:
      return "port unreachable";
    default:
      return "destination unreachable";
  }
}

}  // namespace

std::string encodeEcho(const Echo& echo, Family family) {
  auto message = header(requestType(family), echo);
  message.append(echo.payload.data(), echo.payload.size());
  if (family == Family::v4) put16(message, 2, checksum(message));
  return message;
}

bool isReply(std::string_view message, const Echo& echo, Family family, bool withIpHeader) {
  if (withIpHeader) message = withoutIpHeader(message);
  return sameHeader(message, header(replyType(family), echo)) &&
         message.substr(headerBytes) == std::string_view(echo.payload.data(), echo.payload.size());
}

bool quotesRequest(std::string_view quoted, const Echo& echo, Family family) {
  return sameHeader(quoted, header(requestType(family), echo));
}

bool isPortUnreachable(Family family, std::uint8_t type, std::uint8_t code) {
  return family == Family::v4 ? type == ICMP_DEST_UNREACH && code == ICMP_PORT_UNREACH
                              : type == ICMP6_DST_UNREACH && code == ICMP6_DST_UNREACH_NOPORT;
}

std::string describeIcmpError(Family family, std::uint8_t type, std::uint8_t code) {
  const auto name = family == Family::v4 ? nameV4(type, code) : nameV6(type, code);
  if (!name.empty()) return std::string(name);
  return "ICMP error " + std::to_string(type) + "/" + std::to_string(code);
}

}  // namespace l4ward::healthcheck
