#include "base/clock.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace l4ward {
namespace {

constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> kUnits{
    {{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::int64_t kMax = 365LL * 24 * 3'600'000;

}  // namespace

Result<Millis> parseDuration(std::string_view text) {
  const auto bad = [&] {
    return fail("'" + std::string(text.substr(0, 64)) +
                "' is not a duration such as 500ms, 2s, 5m or 1h");
  };
  std::int64_t count = 0;
  const auto [rest, ec] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (ec != std::errc() || text.front() == '-') return bad();
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  for (const auto& [name, factor] : kUnits) {
    if (unit != name) continue;
    if (count > kMax / factor) return fail("'" + std::string(text) + "' is more than 365 days");
    return Millis(count * factor);
  }
  return bad();
}

std::string formatDuration(Millis duration) {
  if (duration.count() == 0) return "0s";
  for (const auto& [name, factor] : kUnits) {
    if (duration.count() % factor == 0) {
      return std::to_string(duration.count() / factor) + std::string(name);
    }
  }
  return std::to_string(duration.count()) + "ms";
}

}  // namespace l4ward
