#include "import/definitions.h"

#include <cctype>

#include "import/words.h"

namespace l4ward::keepalived {
namespace {

bool isNameStart(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::size_t nameLength(std::string_view text) {
  if (text.empty() || !isNameStart(text[0])) return 0;
  std::size_t length = 1;
  while (length < text.size() && (isNameStart(text[length]) ||
                                  std::isdigit(static_cast<unsigned char>(text[length])) != 0)) {
    ++length;
  }
  return length;
}

}  // namespace

std::optional<Definition> parseDefinition(std::string_view line) {
  if (!line.starts_with('$')) return std::nullopt;
  line.remove_prefix(1);
  const auto length = nameLength(line);
  if (length == 0 || length >= line.size() || line[length] != '=') return std::nullopt;
  return Definition{std::string(line.substr(0, length)),
                    std::string(trim(line.substr(length + 1)))};
}

// A name's use: how much of the text it is, and what stands for it.
struct Definitions::Found {
  std::size_t length = 0;  // 0: none
  const std::vector<std::string>* lines = nullptr;
  std::string minimum;  // of ${_RANDOM MIN MAX}
};

Definitions::Found Definitions::find(std::string_view text, std::size_t dollar) const {
  auto rest = text.substr(dollar + 1);
  const bool braces = rest.starts_with('{');
  if (braces) rest.remove_prefix(1);
  const auto length = nameLength(rest);
  if (length == 0) return {};
  const auto name = rest.substr(0, length);
  const auto behind = rest.substr(length);
  Found found;
  found.length = 1 + length;
  if (braces) {
    const auto end = behind.find('}');
    if (end == behind.npos) return {};
    const auto parameters = splitWords(behind.substr(0, end));
    if (name == "_RANDOM") {
      found.minimum = parameters.empty() ? "0" : parameters.front();
    } else if (end != 0) {
      return {};
    }
    found.length += 2 + end;
  } else if (!behind.empty() && std::string_view(" \t,)").find(behind[0]) == behind.npos) {
    return {};
  }
  const auto value = values_.find(name);
  if (value == values_.end()) return found.minimum.empty() ? Found() : found;
  const bool atEnd = dollar + found.length == text.size();
  if (value->second.size() > 1 && !atEnd) return {};
  found.minimum.clear();
  found.lines = &value->second;
  return found;
}

void Definitions::set(const std::string& name, std::vector<std::string> lines) {
  if (lines.empty()) lines.emplace_back();
  values_.insert_or_assign(name, std::move(lines));
}

Definitions::Substituted Definitions::replace(std::string_view text) const {
  Substituted result;
  for (std::size_t at = 0; at < text.size() && result.text.size() <= kMaxLine;) {
    const auto found = text[at] == '$' ? find(text, at) : Found();
    if (found.length == 0) {
      result.text += text[at++];
      continue;
    }
    result.changed = true;
    at += found.length;
    if (found.lines == nullptr) {
      result.random = true;
      result.text += found.minimum;
      continue;
    }
    result.text += found.lines->front();
    result.following.assign(found.lines->begin() + 1, found.lines->end());
  }
  return result;
}

}  // namespace l4ward::keepalived
