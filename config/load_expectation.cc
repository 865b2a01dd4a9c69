#include "config/probes.h"
#include "healthcheck/pattern.h"

namespace l4ward::config {
namespace {

using healthcheck::Expectation;

bool isProbeText(std::string_view text) {
  return !text.empty() && text.size() <= kMaxProbeText;
}

std::optional<Expectation> readPattern(const Value& value) {
  const auto pattern = value.text(isProbeText, "a regular expression of 1 to 1024 bytes");
  if (!pattern) return std::nullopt;
  const RE2 compiled(*pattern, healthcheck::patternOptions());
  if (const auto& error = compiled.error(); !error.empty()) {
    value.error("a regular expression; RE2 says " + inQuotes(error));
    return std::nullopt;
  }
  return Expectation{*pattern, true};
}

}  // namespace

std::optional<Expectation> readExpectation(const Value& value) {
  if (value.node().kind != Node::Kind::map) {
    const auto text = value.text(isProbeText, "1 to 1024 bytes, or a map with `text` or `pattern`");
    return text ? std::optional(Expectation{*text, false}) : std::nullopt;
  }
  const Record record(value, {"text", "pattern"});
  const auto text = record.find("text");
  const auto pattern = record.find("pattern");
  if (text && pattern) {
    pattern->error("this key beside `text`", "one of the two");
  } else if (pattern) {
    return readPattern(*pattern);
  } else if (text) {
    const auto given = text->text(isProbeText, "1 to 1024 bytes");
    return given ? std::optional(Expectation{*given, false}) : std::nullopt;
  } else if (value.node().children.empty()) {  // else its keys have been reported
    value.error("an empty map", "`text` or `pattern`");
  }
  return std::nullopt;
}

}  // namespace l4ward::config
