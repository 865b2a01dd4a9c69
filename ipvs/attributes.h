// Netlink attributes of the kernel's answers, by their numbers. Lengths are checked before anything
// is read, by libnl's policies.
#pragma once

#include <linux/netlink.h>
#include <netlink/attr.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "base/result.h"
#include "ipvs/messages.h"

namespace l4ward::ipvs {

template <int kMax>
using Attributes = std::array<nlattr*, kMax + 1>;

template <int kMax>
using Policy = std::array<nla_policy, kMax + 1>;

constexpr nla_policy atLeast(std::uint16_t length) {
  return {NLA_UNSPEC, length, 0};
}

inline ByteView payloadOf(const nlattr* attribute) {
  return {static_cast<const std::uint8_t*>(nla_data(attribute)),
          static_cast<std::size_t>(nla_len(attribute))};
}

template <std::size_t kSize>
Result<std::array<nlattr*, kSize>> parse(ByteView bytes,
                                         const std::array<nla_policy, kSize>& policy) {
  std::array<nlattr*, kSize> attributes{};
  if (bytes.empty()) return attributes;
  // libnl's argument is not const, but it only reads.
  auto* head = reinterpret_cast<nlattr*>(const_cast<std::uint8_t*>(bytes.data()));
  auto* rules = const_cast<nla_policy*>(policy.data());
  if (nla_parse(attributes.data(), static_cast<int>(kSize) - 1, head,
                static_cast<int>(bytes.size()), rules) < 0) {
    return fail("the kernel's answer about IPVS has an attribute of the wrong length");
  }
  return attributes;
}

// Attributes that lie in the nested attribute `type` of `bytes`.
template <std::size_t kOuter, std::size_t kSize>
Result<std::array<nlattr*, kSize>> parseNested(ByteView bytes,
                                               const std::array<nla_policy, kOuter>& outerPolicy,
                                               int type,
                                               const std::array<nla_policy, kSize>& policy) {
  const auto outer = parse(bytes, outerPolicy);
  if (!outer) return tl::unexpected(outer.error());
  if (!(*outer)[type]) return fail("the kernel's answer about IPVS has no content");
  return parse(payloadOf((*outer)[type]), policy);
}

// The attribute's first bytes as they are; a policy has seen to its length.
template <typename T>
std::optional<T> find(const nlattr* attribute) {
  if (!attribute) return std::nullopt;
  T value{};
  std::memcpy(&value, nla_data(attribute), sizeof value);
  return value;
}
template <typename T>
T read(const nlattr* attribute, T otherwise = {}) {
  return find<T>(attribute).value_or(otherwise);
}

// The text up to its first NUL byte or the attribute's end.
inline std::string readText(const nlattr* attribute) {
  const auto bytes = payloadOf(attribute);
  const auto* begin = reinterpret_cast<const char*>(bytes.data());
  return {begin, strnlen(begin, bytes.size())};
}

}  // namespace l4ward::ipvs
