// Writes DNS answers, byte by byte, without the code under test.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace l4ward::healthcheck {

inline std::string be16(unsigned value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

inline std::string be32(std::uint32_t value) {
  return be16(value >> 16) + be16(value & 0xffff);
}

// "www.example" with its lengths and the root at its end.
inline std::string wireName(std::string_view name) {
  std::string bytes;
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    bytes += static_cast<char>(label.size());
    bytes += label;
    name.remove_prefix(label.size() == name.size() ? name.size() : label.size() + 1);
  }
  return bytes + '\0';
}

inline std::string pointer(unsigned offset) {
  return be16(0xc000 | offset);
}
// Where every question's name stands.
inline constexpr unsigned questionName = 12;

inline std::string record(unsigned type, const std::string& data, unsigned recordClass = 1,
                          const std::string& owner = pointer(questionName)) {
  return owner + be16(type) + be16(recordClass) + be32(300) +
         be16(static_cast<unsigned>(data.size())) + data;
}

struct AnswerParts {
  unsigned flags = 0x8180;  // QR, RD, RA
  std::vector<std::string> records = {};
};

// The answer to a query of one question.
inline std::string answerTo(std::string_view query, const AnswerParts& parts) {
  std::string message(query.substr(0, 2));
  message += be16(parts.flags) + be16(1) + be16(static_cast<unsigned>(parts.records.size())) +
             be32(0) + std::string(query.substr(12));
  for (const auto& each : parts.records) message += each;
  return message;
}

}  // namespace l4ward::healthcheck
