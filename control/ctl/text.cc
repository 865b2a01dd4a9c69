#include "control/ctl/text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <wctype.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <cwchar>
#include <optional>

#include "config/diagnostics.h"

namespace l4ward::ctl {
namespace {

// The C library knows Unicode's tables, but only under a locale that is UTF-8; the user's own may
// not be. The calling thread has it for as long as this lives.
class Utf8Locale {
 public:
  Utf8Locale() : before_(::uselocale(instance())) {}
  ~Utf8Locale() { ::uselocale(before_); }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  static locale_t instance() {
    static const locale_t made = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return made;
  }
  locale_t before_;
};

// The character that `text` begins with, which has `length` bytes.
wchar_t decode(std::string_view text, std::size_t length) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (length == 1) return static_cast<wchar_t>(first);
  std::uint32_t value = first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    value = (value << 6) | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  return static_cast<wchar_t>(value);
}

// Marks, embeddings, overrides and isolates (Unicode's UAX #9) could make a line read otherwise
// than it is; line and paragraph separators break it.
bool misleads(wchar_t c) {
  return c == 0x61c || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

std::size_t widthOf(wchar_t c) {
  if (c >= 0x20 && c < 0x7f) return 1;
  return static_cast<std::size_t>(std::max(::wcwidth(c), 0));
}

// The next character's bytes and columns, of clean text.
struct Step {
  std::size_t bytes;
  std::size_t columns;
};
Step stepOf(std::string_view text) {
  const auto bytes = std::max<std::size_t>(config::utf8Length(text), 1);
  return {bytes, widthOf(decode(text, bytes))};
}

// Bytes of the longest beginning of `text` that takes at most `width` columns.
std::size_t fitting(std::string_view text, std::size_t width) {
  const Utf8Locale locale;
  std::size_t bytes = 0;
  for (std::size_t used = 0; bytes < text.size();) {
    const auto step = stepOf(text.substr(bytes));
    if ((used += step.columns) > width) break;
    bytes += step.bytes;
  }
  return bytes;
}

constexpr std::string_view escapeOf(Tone tone) {
  switch (tone) {
    case Tone::good:
      return "\033[32m";
    case Tone::warning:
      return "\033[33m";
    case Tone::bad:
      return "\033[1;31m";
    case Tone::dim:
      return "\033[2m";
    case Tone::strong:
      return "\033[1m";
    case Tone::plain:
      break;
  }
  return "";
}

}  // namespace

std::string clean(std::string_view text) {
  const Utf8Locale locale;
  std::string out;
  while (!text.empty()) {
    const auto length = config::utf8Length(text);
    const auto c = length > 0 ? decode(text, length) : L'\0';
    const bool printable = c >= 0x20 && c != 0x7f && (c < 0x7f || ::iswprint(c)) && !misleads(c);
    out += printable ? text.substr(0, length) : "?";
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::size_t columnsOf(std::string_view text) {
  const Utf8Locale locale;
  std::size_t columns = 0;
  while (!text.empty()) {
    const auto step = stepOf(text);
    columns += step.columns;
    text.remove_prefix(step.bytes);
  }
  return columns;
}

std::string cut(std::string_view text, std::size_t width) {
  if (columnsOf(text) <= width) return std::string(text);
  return std::string(text.substr(0, fitting(text, width - 1))) + "…";
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  while (columnsOf(text) > width) {
    // A character wider than the line still has to go somewhere.
    const auto fits = std::max(fitting(text, width), stepOf(text).bytes);
    const auto blank = text.rfind(' ', fits);
    const bool breaks = blank != text.npos && blank > 0;
    lines.emplace_back(text.substr(0, breaks ? blank : fits));
    text.remove_prefix(breaks ? blank + 1 : fits);
  }
  if (!text.empty() || lines.empty()) lines.emplace_back(text);
  return lines;
}

std::string painted(std::string_view text, Tone tone, const Style& style) {
  const auto escape = style.colour ? escapeOf(tone) : "";
  if (escape.empty() || text.empty()) return std::string(text);
  return std::string(escape) + std::string(text) + "\033[0m";
}

std::string age(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::clamp(seconds, 0.0, 1e12));
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m", whole / 60);
  if (whole < 86400) return fmt::format("{}h {}m", whole / 3600, whole / 60 % 60);
  return fmt::format("{}d {}h", whole / 86400, whole / 3600 % 24);
}

std::string ageAt(double since, double now) {
  return since > 0 ? age(now - since) : "-";
}

std::string ago(double since, double now) {
  return since > 0 ? age(now - since) + " ago" : "-";
}

std::string utc(double at) {
  if (!(at > 0) || at > 253402300799.0) return "-";  // up to the year 9999
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(at)));
}

std::string latency(double seconds) {
  if (seconds < 0.001) return fmt::format("{:.0f}us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.0f}ms", seconds * 1e3);
  return fmt::format("{:.1f}s", seconds);
}

std::string plural(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string count(std::uint64_t number) {
  static constexpr std::array<char, 6> kUnits{'k', 'M', 'G', 'T', 'P', 'E'};
  if (number < 100'000) return std::to_string(number);
  std::size_t unit = 0;
  for (number /= 1000; number >= 10'000 && unit + 1 < kUnits.size(); number /= 1000) ++unit;
  return std::to_string(number) + kUnits[unit];
}

std::string percent(double share) {
  return fmt::format("{:.1f}%", share * 100);
}

std::string join(const std::vector<std::string>& parts, std::string_view between) {
  return fmt::format("{}", fmt::join(parts, between));
}

}  // namespace l4ward::ctl
