// Text for terminals: what is safe to print, how wide it is, colours, times and counts. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace l4ward::ctl {

// What a text is about; shown as a colour, never by the colour alone.
enum class Tone { plain, good, warning, bad, dim, strong };

struct Style {
  std::size_t width = 0;  // columns; 0: lines may be as long as they like
  bool colour = false;
};

// Control characters, what is no UTF-8, and what turns the direction of text become '?'.
std::string clean(std::string_view text);
// Columns that clean text takes: 2 for wide characters, 0 for those that combine.
std::size_t columnsOf(std::string_view text);
// At most `width` columns (1 or more); a cut is shown as "…".
std::string cut(std::string_view text, std::size_t width);
// Lines of at most `width` columns (1 or more), broken at blanks where there are any.
std::vector<std::string> wrap(std::string_view text, std::size_t width);
std::string painted(std::string_view text, Tone tone, const Style& style);

// "12s", "3m", "2h 5m", "3d 4h"
std::string age(double seconds);
// age() from `since` to `now`; "-" if `since` is 0, that is, not known.
std::string ageAt(double since, double now);
// "3m ago", or "-"
std::string ago(double since, double now);
// "2026-01-31 12:00:00", UTC; "-" for 0.
std::string utc(double at);
// "850us", "12ms", "1.5s"
std::string latency(double seconds);
// "1 server", "3 servers"
std::string plural(std::uint64_t count, std::string_view what);
// Digits up to 99999, then "123k", "45M", "6G".
std::string count(std::uint64_t number);
// "33.3%" of a share from 0 to 1.
std::string percent(double share);
std::string join(const std::vector<std::string>& parts, std::string_view between);

}  // namespace l4ward::ctl
