// A hash that is the same in every run and build, which std::hash need not be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace l4ward {

// FNV-1a, 64 bits. Its high bits hardly depend on the last bytes.
class Fnv1a {
 public:
  constexpr void add(std::uint8_t byte) { hash_ = (hash_ ^ byte) * 0x100000001b3U; }
  constexpr std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

constexpr std::uint64_t fnv1a(std::string_view text) {
  Fnv1a hash;
  for (const char c : text) hash.add(static_cast<std::uint8_t>(c));
  return hash.value();
}

// 16 hexadecimal digits.
inline std::string hashText(std::uint64_t hash) {
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, hash >>= 4) {
    *digit = "0123456789abcdef"[hash & 0xf];
  }
  return text;
}

}  // namespace l4ward
