// Addresses, prefixes and endpoints: small values, ordered by family, address, length or port.
// The order is the fleet's canonical order (see ipvs/plan.h), so it must never depend on the host.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace l4ward {

enum class Family : std::uint8_t { v4 = 4, v6 = 6 };

std::string_view toString(Family family);  // "IPv4" | "IPv6"

class IpAddress {
 public:
  // 0.0.0.0
  IpAddress() = default;

  // Dotted quad, or RFC 4291 text. No zone, no prefix length, no IPv4-mapped shorthand expansion:
  // "::ffff:192.0.2.1" stays an IPv6 address.
  static Result<IpAddress> parse(std::string_view text);
  // `bytes` in network order: 4 for v4, 16 for v6; anything else is an error.
  static Result<IpAddress> fromBytes(std::span<const std::uint8_t> bytes);

  Family family() const { return family_; }
  bool isV4() const { return family_ == Family::v4; }
  // Network order; 4 or 16 bytes.
  std::span<const std::uint8_t> bytes() const { return {bytes_.data(), isV4() ? 4U : 16U}; }
  // 0.0.0.0 or ::
  bool isUnspecified() const { return bytes_ == decltype(bytes_){}; }
  bool isLoopback() const;   // 127.0.0.0/8 or ::1
  bool isMulticast() const;  // 224.0.0.0/4 or ff00::/8
  bool isLinkLocal() const;  // 169.254.0.0/16 or fe80::/10
  // The one behind it; the last one's is the first.
  IpAddress next() const;
  // 32 or 128
  unsigned bits() const { return isV4() ? 32 : 128; }
  // RFC 5952 text.
  std::string str() const;

  std::strong_ordering operator<=>(const IpAddress&) const = default;

 private:
  Family family_ = Family::v4;
  std::array<std::uint8_t, 16> bytes_{};
};

struct Prefix {
  IpAddress address;
  std::uint8_t length = 0;

  // The /32 or /128 of one address.
  static Prefix host(const IpAddress& address);
  // The prefix of this length that `address` lies in. `length` is at most address.bits().
  static Prefix around(const IpAddress& address, unsigned length);
  // "198.51.100.1/32"; host bits must be zero.
  static Result<Prefix> parse(std::string_view text);
  std::string str() const;

  // As str(), but a host's without its length: "198.51.100.1".
  std::string shortStr() const { return isHost() ? address.str() : str(); }

  bool isHost() const { return length == address.bits(); }
  // Both false for another family. A prefix contains itself.
  bool contains(const IpAddress& other) const;
  bool contains(const Prefix& other) const;
  // How many addresses it has; 2^64 - 1 stands for more than that, too.
  std::uint64_t size() const;
  // The last address in it.
  IpAddress last() const;

  std::strong_ordering operator<=>(const Prefix&) const = default;
};

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  // "192.0.2.1:80", "[2001:db8::1]:80"
  std::string str() const;
  static Result<Endpoint> parse(std::string_view text);

  std::strong_ordering operator<=>(const Endpoint&) const = default;
};

}  // namespace l4ward
