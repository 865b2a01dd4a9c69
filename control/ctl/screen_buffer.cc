#include "control/ctl/screen_buffer.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace l4ward::ctl {
namespace {

// ECMA-48; ?2026: the terminal shows what is between them at once, if it knows how.
constexpr std::string_view kBegin = "\033[?2026h\033[H";
constexpr std::string_view kEnd = "\033[J\033[?2026l";
constexpr std::string_view kClearLine = "\033[K";

std::vector<std::string_view> linesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == text.npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace

std::string frame(const std::string& text, const std::string& footer, const Window& window,
                  std::size_t& top) {
  const auto lines = linesOf(text);
  const std::size_t room = std::max<std::size_t>(window.rows, 2) - 1;
  top = std::min(top, lines.size() > room ? lines.size() - room : 0);
  std::string out(kBegin);
  const auto shown = std::min(room, lines.size() - top);
  for (std::size_t i = 0; i < shown; ++i) {
    out += lines[top + i];
    out += kClearLine;
    out += "\r\n";
  }
  for (std::size_t i = shown; i < room; ++i) out += std::string(kClearLine) + "\r\n";
  const auto hidden = lines.size() - top - shown;
  std::string last = footer;
  if (hidden > 0 || top > 0) {
    last = "lines " + std::to_string(top + 1) + " to " + std::to_string(top + shown) + " of " +
           std::to_string(lines.size()) + "  " + last;
  }
  return out + cut(last, std::max<std::size_t>(window.columns, 1)) + std::string(kClearLine) +
         std::string(kEnd);
}

}  // namespace l4ward::ctl
