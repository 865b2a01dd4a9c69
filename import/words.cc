#include "import/words.h"

#include <cctype>

namespace l4ward::keepalived {
namespace {

bool isBlank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

bool isOctal(char c) {
  return c >= '0' && c <= '7';
}

unsigned hexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>(std::tolower(static_cast<unsigned char>(c)) - 'a' + 10);
}

bool isHex(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0;
}

// What stands behind the backslash at `text[at - 1]`; moves `at` behind it.
char escaped(std::string_view text, std::size_t& at) {
  const char c = text[at++];
  if (c == 'x' && at < text.size() && isHex(text[at])) {
    unsigned value = 0;
    while (at < text.size() && isHex(text[at])) value = (value << 4U | hexDigit(text[at++])) & 0xff;
    return static_cast<char>(value);
  }
  if (c == 'c' && at < text.size()) return static_cast<char>(text[at++] & 0x1f);
  if (isOctal(c)) {
    unsigned value = static_cast<unsigned>(c - '0');
    for (int more = 0; more < 2 && at < text.size() && isOctal(text[at]); ++more) {
      value = (value << 3U | static_cast<unsigned>(text[at++] - '0')) & 0xff;
    }
    return static_cast<char>(value);
  }
  constexpr std::string_view names = "abEfnrtv";
  constexpr std::string_view values = "\a\b\x1b\f\n\r\t\v";
  const auto known = names.find(c);
  return known == names.npos ? c : values[known];
}

// One word of splitQuoted from `at` on; moves `at` behind it. None: no end.
std::optional<std::string> quotedWord(std::string_view text, std::size_t& at) {
  std::string word;
  char quote = 0;
  while (at < text.size() && (quote != 0 || !isBlank(text[at]))) {
    const char c = text[at++];
    if (c == '\\') {
      if (at == text.size()) return std::nullopt;
      word += escaped(text, at);
    } else if (c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else {
      word += c;
    }
  }
  return quote == 0 ? std::optional(word) : std::nullopt;
}

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && isBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && isBlank(text.back())) text.remove_suffix(1);
  return text;
}

std::string withoutComment(std::string_view text) {
  text = trim(text);
  std::string out;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') quoted = !quoted;
    if (c == '\\' && i + 1 < text.size()) {
      const char next = text[++i];
      if (quoted || (next != '#' && next != '!')) out += c;
      out += next;
    } else if (!quoted && (c == '#' || c == '!')) {
      const bool goesOn = text.ends_with('\\');
      return std::string(trim(out)) + (goesOn ? "\\" : "");
    } else {
      out += c;
    }
  }
  return out;
}

bool isOpenQuoted(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    }
  }
  return quoted;
}

Words splitWords(std::string_view text) {
  Words words;
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && isBlank(text[at])) ++at;
    if (at == text.size()) return words;
    if (text[at] == '"') {
      const auto end = text.find('"', at + 1);
      words.emplace_back(text.substr(at + 1, end == text.npos ? end : end - at - 1));
      at = end == text.npos ? text.size() : end + 1;
    } else {
      const auto start = at;
      while (at < text.size() && !isBlank(text[at]) && text[at] != '"') ++at;
      words.emplace_back(text.substr(start, at - start));
    }
  }
}

std::optional<Words> splitQuoted(std::string_view text) {
  Words words;
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && isBlank(text[at])) ++at;
    if (at == text.size()) return words;
    auto word = quotedWord(text, at);
    if (!word) return std::nullopt;
    words.push_back(std::move(*word));
  }
}

std::optional<Words> splitCommand(std::string_view text) {
  auto words = splitQuoted(text);
  if (!words || words->size() != 1) return words;
  // Unquoted blanks within it part the arguments ("SCRIPTS" and "Quoted strings").
  const std::string inner = words->front();
  return splitQuoted(inner);
}

}  // namespace l4ward::keepalived
