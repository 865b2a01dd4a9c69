#include "healthcheck/clean_text.h"

namespace l4ward::healthcheck {

std::string cleanText(std::string_view text, std::size_t limit) {
  std::string clean;
  bool blank = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == 0x7f) {
      blank = !clean.empty();
      continue;
    }
    if (clean.size() + (blank ? 2 : 1) > limit) break;
    if (blank) clean += ' ';
    blank = false;
    clean += byte < 0x7f ? c : '?';
  }
  return clean;
}

}  // namespace l4ward::healthcheck
