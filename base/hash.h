// A hash that is the same in every run and build, which std::hash need not be.
#pragma once

#include <cstdint>
#include <string_view>

namespace l4ward {

// FNV-1a, 64 bits. Its high bits hardly depend on the last bytes.
constexpr std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace l4ward
