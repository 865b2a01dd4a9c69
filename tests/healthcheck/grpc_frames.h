// HTTP/2 frames made by hand, so that tests can say what no proper server would.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace l4ward::healthcheck::http2 {

enum Type : std::uint8_t {
  data = 0,
  headers = 1,
  rstStream = 3,
  settings = 4,
  pushPromise = 5,
  ping = 6,
  goaway = 7,
  windowUpdate = 8,
  continuation = 9
};
enum Flag : std::uint8_t { none = 0, ack = 1, endStream = 1, endHeaders = 4 };

inline std::string number(std::uint32_t value, int bytes = 4) {
  std::string text;
  while (bytes-- > 0) text += static_cast<char>(value >> (8 * bytes));
  return text;
}

// RFC 9113, 4.1
inline std::string frame(Type type, unsigned flags, std::uint32_t stream,
                         const std::string& payload) {
  return number(static_cast<std::uint32_t>(payload.size()), 3) + static_cast<char>(type) +
         static_cast<char>(flags) + number(stream) + payload;
}

using Fields = std::vector<std::pair<std::string, std::string>>;

// RFC 7541, 5.2: not Huffman coded
inline std::string literal(const std::string& text) {
  if (text.size() < 127) return static_cast<char>(text.size()) + text;
  std::string length(1, 127);
  std::size_t rest = text.size() - 127;
  for (; rest >= 128; rest >>= 7) length += static_cast<char>(0x80 | (rest & 0x7f));
  return length + static_cast<char>(rest) + text;
}

// RFC 7541, 6.2.2: literals that enter no table
inline std::string block(const Fields& fields) {
  std::string bytes;
  for (const auto& [name, value] : fields) bytes += '\0' + literal(name) + literal(value);
  return bytes;
}

inline std::string headersFrame(const Fields& fields, unsigned flags = endHeaders) {
  return frame(headers, flags, 1, block(fields));
}

inline std::string serverPreface() {
  return frame(settings, none, 0, "");
}

}  // namespace l4ward::healthcheck::http2
