#include "import/sequence.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "import/words.h"

namespace l4ward::keepalived {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 40;  // so that sums stay far from overflow

// As strtol(…, 0): decimal, 0x… and 0… for octal.
std::optional<std::int64_t> parseInteger(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    base = 8;
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value < 0 ||
      value > kLargest) {
    return std::nullopt;
  }
  return negative ? -value : value;
}

std::string inBase(std::int64_t value, int base) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, base).ptr;
  return {digits, end};
}

// "a, {b, c}, d" -> "a", "{b, c}", "d"
std::vector<std::string> partsOf(std::string_view text) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '{') ++depth;
    if (i < text.size() && text[i] == '}') --depth;
    if (i < text.size() && (text[i] != ',' || depth > 0)) continue;
    parts.emplace_back(trim(text.substr(start, i - start)));
    start = i + 1;
  }
  return parts;
}

// What a part of ~LST names or lists: several in braces, else one.
std::vector<std::string> membersOf(std::string_view part) {
  if (!part.starts_with('{') || !part.ends_with('}') || part.size() < 2) return {std::string(part)};
  return partsOf(part.substr(1, part.size() - 2));
}

struct Steps {
  std::int64_t start = 1;
  std::int64_t step = 1;
  std::int64_t end = 1;
};

std::optional<Steps> stepsOf(const std::vector<std::string>& parts) {
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto number = parseInteger(parts[i]);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  if (numbers.size() == 1) {
    const std::int64_t sign = numbers[0] < 1 ? -1 : 1;
    return Steps{sign, sign, numbers[0]};
  }
  if (numbers.size() == 2) {
    return Steps{numbers[0], numbers[0] <= numbers[1] ? 1 : -1, numbers[1]};
  }
  if (numbers.size() == 3) return Steps{numbers[0], numbers[1], numbers[2]};
  return std::nullopt;
}

Result<Sequence> numbered(const std::vector<std::string>& parts, bool hex) {
  const auto steps = stepsOf(parts);
  if (!steps || steps->step == 0 || (steps->start < steps->end && steps->step < 0) ||
      (steps->start > steps->end && steps->step > 0)) {
    return fail("~SEQ without start, step and end that fit together");
  }
  if (hex && (steps->start < 0 || steps->end < 0)) return fail("~SEQx with a negative number");
  Sequence sequence;
  for (auto value = steps->start; steps->step > 0 ? value <= steps->end : value >= steps->end;
       value += steps->step) {
    if (sequence.rounds.size() == kMaxRounds) return fail("~SEQ with too many repetitions");
    sequence.rounds.push_back({{parts[0], inBase(value, hex ? 16 : 10)}});
  }
  return sequence;
}

Result<Sequence> listed(const std::vector<std::string>& parts) {
  const auto names = membersOf(parts[0]);
  Sequence sequence;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto values = membersOf(parts[i]);
    if (values.size() != names.size()) return fail("~LST whose values do not fit its names");
    auto& round = sequence.rounds.emplace_back();
    for (std::size_t k = 0; k < names.size(); ++k) round.emplace_back(names[k], values[k]);
  }
  if (sequence.rounds.empty()) return fail("~LST without values");
  return sequence;
}

}  // namespace

bool isSequence(std::string_view line) {
  return line.starts_with("~SEQ") || line.starts_with("~LST");
}

Result<Sequence> parseSequence(std::string_view line) {
  const bool list = line.starts_with("~LST");
  auto rest = line.substr(4);
  const bool hex = !list && rest.starts_with('x');
  if (hex) rest.remove_prefix(1);
  rest = trim(rest);
  const auto end = rest.find(')');
  if (!rest.starts_with('(') || end == rest.npos) {
    return fail(std::string(line.substr(0, 4)) + " without parentheses");
  }
  const auto parts = partsOf(rest.substr(1, end - 1));
  if (parts.size() < 2 || parts[0].empty()) {
    return fail(std::string(line.substr(0, 4)) + " without a name and values");
  }
  auto sequence = list ? listed(parts) : numbered(parts, hex);
  if (sequence) sequence->rest = trim(rest.substr(end + 1));
  return sequence;
}

}  // namespace l4ward::keepalived
