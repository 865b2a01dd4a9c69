#include "control/json_text.h"

#include "config/diagnostics.h"

namespace l4ward::control {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 32;

// Counts brackets outside of strings; the parser judges all else.
bool isShallow(std::string_view text) {
  int depth = 0;
  bool inString = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inString) {
      if (c == '\\') ++i;
      inString = c != '"';
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) return false;
    } else if (c == ']' || c == '}') {
      --depth;
    } else {
      inString = c == '"';
    }
  }
  return true;
}

}  // namespace

std::optional<Json> parseJson(std::string_view text) {
  if (!isShallow(text)) return std::nullopt;
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

bool isOneLine(std::string_view text) {
  while (!text.empty()) {
    const auto length = config::utf8Length(text);
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (length == 0 || byte(0) < 0x20 || byte(0) == 0x7f) return false;
    if (length == 2 && byte(0) == 0xc2 && byte(1) < 0xa0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace l4ward::control
