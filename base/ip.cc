#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace l4ward {
namespace {

std::optional<unsigned> parseDecimal(std::string_view text, unsigned max) {
  unsigned value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

}  // namespace

std::string_view toString(Family family) {
  return family == Family::v4 ? "IPv4" : "IPv6";
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  // inet_pton wants a terminated string; the longest address text is INET6_ADDRSTRLEN.
  const std::string copy(text.substr(0, INET6_ADDRSTRLEN));
  IpAddress address;
  const bool terminated = text.size() < INET6_ADDRSTRLEN && text.find('\0') == text.npos;
  if (terminated && inet_pton(AF_INET, copy.c_str(), address.bytes_.data()) == 1) return address;
  address.bytes_ = {};
  if (terminated && inet_pton(AF_INET6, copy.c_str(), address.bytes_.data()) == 1) {
    address.family_ = Family::v6;
    return address;
  }
  return fail("'" + copy + "' is not an IP address");
}

Result<IpAddress> IpAddress::fromBytes(std::span<const std::uint8_t> bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) {
    return fail("an IP address has 4 or 16 bytes, not " + std::to_string(bytes.size()));
  }
  IpAddress address;
  address.family_ = bytes.size() == 4 ? Family::v4 : Family::v6;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

bool IpAddress::isLoopback() const {
  if (isV4()) return bytes_[0] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto b) { return b == 0; }) &&
         bytes_[15] == 1;
}

bool IpAddress::isMulticast() const {
  return isV4() ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::isLinkLocal() const {
  return isV4() ? bytes_[0] == 169 && bytes_[1] == 254
                : bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

IpAddress IpAddress::next() const {
  IpAddress result = *this;
  for (std::size_t i = bytes().size(); i > 0; --i) {
    if (++result.bytes_[i - 1] != 0) break;
  }
  return result;
}

std::string IpAddress::str() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (!isV4()) return inet_ntop(AF_INET6, bytes_.data(), text.data(), text.size());
  auto* end = text.data();  // inet_ntop() goes through sprintf(), which takes ten times as long
  for (const auto byte : bytes()) {
    end = std::to_chars(end, text.data() + text.size(), byte).ptr;
    *end++ = '.';
  }
  return {text.data(), end - 1};
}

Prefix Prefix::host(const IpAddress& address) {
  return {address, static_cast<std::uint8_t>(address.bits())};
}

Prefix Prefix::around(const IpAddress& address, unsigned length) {
  std::array<std::uint8_t, 16> bytes{};
  const auto from = address.bytes();
  std::copy(from.begin(), from.end(), bytes.begin());
  for (unsigned bit = length; bit < address.bits(); ++bit) {
    bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  }
  return {*IpAddress::fromBytes({bytes.data(), from.size()}), static_cast<std::uint8_t>(length)};
}

IpAddress Prefix::last() const {
  std::array<std::uint8_t, 16> bytes{};
  const auto first = address.bytes();
  for (unsigned bit = 0; bit < address.bits(); ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    if (bit >= length || (first[bit / 8] & mask)) bytes[bit / 8] |= mask;
  }
  return *IpAddress::fromBytes({bytes.data(), first.size()});
}

Result<Prefix> Prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos) return fail("'" + std::string(text) + "' is not a prefix: no '/'");
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return tl::unexpected(address.error());
  const auto length = parseDecimal(text.substr(slash + 1), address->bits());
  if (!length) {
    return fail("'" + std::string(text) + "': the length must be 0 to " +
                std::to_string(address->bits()));
  }
  const auto prefix = around(*address, *length);
  if (prefix.address != *address) {
    return fail("'" + std::string(text) + "' has bits set behind its length");
  }
  return prefix;
}

std::string Prefix::str() const {
  return address.str() + "/" + std::to_string(length);
}

bool Prefix::contains(const IpAddress& other) const {
  if (other.family() != address.family()) return false;
  const auto mine = address.bytes();
  const auto theirs = other.bytes();
  const std::size_t whole = length / 8U;
  if (!std::equal(mine.begin(), mine.begin() + whole, theirs.begin())) return false;
  const unsigned rest = length % 8U;
  return rest == 0 || (mine[whole] ^ theirs[whole]) >> (8 - rest) == 0;
}

bool Prefix::contains(const Prefix& other) const {
  return other.length >= length && contains(other.address);
}

std::uint64_t Prefix::size() const {
  const unsigned hostBits = address.bits() - length;
  return hostBits < 64 ? std::uint64_t{1} << hostBits : std::numeric_limits<std::uint64_t>::max();
}

std::string Endpoint::str() const {
  const auto portText = std::to_string(port);
  return address.isV4() ? address.str() + ":" + portText : "[" + address.str() + "]:" + portText;
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  const auto bad = [&] {
    return fail("'" + std::string(text) + "' is not ADDRESS:PORT or [IPV6]:PORT");
  };
  const auto colon = text.rfind(':');
  if (colon == text.npos) return bad();
  auto host = text.substr(0, colon);
  const bool bracketed = host.size() > 1 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  const auto port = parseDecimal(text.substr(colon + 1), 65535);
  if (!address || !port || address->isV4() == bracketed) return bad();
  return Endpoint{*address, static_cast<std::uint16_t>(*port)};
}

}  // namespace l4ward
