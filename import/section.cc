#include "import/section.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace l4ward::keepalived {
namespace {

constexpr double kLongest = 86400;  // seconds

std::optional<Micros> parseTimer(const std::string& text) {
  double seconds = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !(seconds >= 0) ||
      seconds > kLongest) {
    return std::nullopt;
  }
  return Micros(std::llround(seconds * 1e6));
}

std::optional<bool> parseFlag(std::string_view text) {
  for (const auto* yes : {"on", "true", "yes"}) {
    if (text == yes) return true;
  }
  for (const auto* no : {"off", "false", "no"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Node*> Section::all(std::initializer_list<std::string_view> keywords) const {
  std::vector<Node*> found;
  for (auto& child : block_->children) {
    if (std::find(keywords.begin(), keywords.end(), child.keyword()) == keywords.end()) continue;
    child.seen = true;
    found.push_back(&child);
  }
  return found;
}

Node* Section::last(std::initializer_list<std::string_view> keywords) const {
  const auto found = all(keywords);
  for (std::size_t i = 0; i + 1 < found.size(); ++i) {
    report_->add(*found[i], {Level::note,
                             "line " + std::to_string(found.back()->place.line) + " says it again",
                             "the later one holds, as with Keepalived"});
  }
  return found.empty() ? nullptr : found.back();
}

void Section::say(std::span<const Fate> fates) const {
  for (const auto& fate : fates) {
    for (auto* node : all({fate.keyword})) {
      markSeen(*node);
      report_->add(*node, {fate.level, fate.why, fate.advice});
    }
  }
}

std::optional<Given<std::string>> Section::text(std::string_view keyword) const {
  auto* node = last(keyword);
  if (node == nullptr) return std::nullopt;
  expectWords(*node, 2, *report_);
  if (!node->word(1).empty()) return Given<std::string>{node->word(1), node};
  sayInvalid(*node, "a word behind it", *report_);
  return std::nullopt;
}

std::optional<Given<std::uint32_t>> Section::number(std::string_view keyword, std::uint32_t min,
                                                    std::uint32_t max) const {
  auto* node = last(keyword);
  if (node == nullptr) return std::nullopt;
  expectWords(*node, 2, *report_);
  if (const auto value = parseNumber(node->word(1), min, max)) {
    return Given<std::uint32_t>{*value, node};
  }
  sayInvalid(*node, "a number from " + std::to_string(min) + " to " + std::to_string(max),
             *report_);
  return std::nullopt;
}

std::optional<Given<Micros>> Section::timer(std::string_view keyword) const {
  auto* node = last(keyword);
  if (node == nullptr) return std::nullopt;
  expectWords(*node, 2, *report_);
  if (const auto value = parseTimer(node->word(1))) return Given<Micros>{*value, node};
  sayInvalid(*node, "seconds, at most a day", *report_);
  return std::nullopt;
}

std::optional<Given<bool>> Section::flag(std::string_view keyword) const {
  auto* node = last(keyword);
  if (node == nullptr) return std::nullopt;
  expectWords(*node, 2, *report_);
  if (node->words.size() == 1) return Given<bool>{true, node};
  if (const auto value = parseFlag(node->word(1))) return Given<bool>{*value, node};
  sayInvalid(*node, "on or off", *report_);
  return std::nullopt;
}

std::optional<std::uint32_t> parseNumber(std::string_view text, std::uint32_t min,
                                         std::uint32_t max) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value < min ||
      value > max) {
    return std::nullopt;
  }
  return value;
}

void expectWords(Node& node, std::size_t expected, Report& report) {
  if (node.words.size() <= expected) return;
  report.add(node, {Level::note, "nothing is known of '" + node.words[expected] + "' behind it",
                    "see whether it was meant to do something"});
}

void sayInvalid(Node& node, const std::string& expected, Report& report) {
  report.add(node, {Level::lost, "not " + expected + ": Keepalived does not take it either",
                    "write what was meant"});
}

}  // namespace l4ward::keepalived
