// Counts values in buckets of fixed bounds. Adding one allocates nothing and takes nanoseconds.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace l4ward {

// Seconds, of what takes between no time and a few seconds.
inline constexpr std::array<double, 12> kSecondsBounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                       0.1,   0.25,   0.5,   1,    2.5,   5};

// `kBounds`: ascending.
template <const auto& kBounds>
struct Histogram {
  static constexpr const auto& bounds = kBounds;

  std::array<std::uint64_t, kBounds.size() + 1> counts{};  // those above the bound before, each
  double sum = 0;

  void add(double value) {
    const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), value) - kBounds.begin();
    ++counts[static_cast<std::size_t>(bucket)];
    sum += value;
  }
  bool operator==(const Histogram&) const = default;
};

using SecondsHistogram = Histogram<kSecondsBounds>;

}  // namespace l4ward
