#include "config/diagnostics.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <utility>

namespace l4ward::config {
namespace {

constexpr std::size_t kMaxReadable = 80;  // bytes

// How many letters are wrong, missing, too many, or change places with their neighbour (optimal
// string alignment), or any number from `enough` on if it is not below that.
std::size_t distance(std::string_view a, std::string_view b, std::size_t enough) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) >= enough) return enough;
  std::vector<std::size_t> row(b.size() + 1), above(row), secondAbove(row);
  std::iota(row.begin(), row.end(), 0U);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(secondAbove, above);
    std::swap(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, row[j - 1] + 1, above[j] + 1});
      const bool changedPlaces = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (changedPlaces) row[j] = std::min(row[j], secondAbove[j - 2] + 1);
    }
    if (*std::min_element(row.begin(), row.end()) >= enough) return enough;
  }
  return row.back();
}

// Cut to kMaxReadable; control characters and what is not UTF-8 become '?'.
std::string readable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (out.size() > kMaxReadable) return out + "…";
    const auto length = std::max<std::size_t>(utf8Length(text), 1);
    const auto c = static_cast<unsigned char>(text[0]);
    const bool plain = length > 1 || (c >= 0x20 && c < 0x7f);
    out += plain ? text.substr(0, length) : "?";
    text.remove_prefix(length);
  }
  return out;
}

// What contains `path`: "a.b[2].c" -> "a.b[2]" -> "a.b" -> "a" -> "".
std::string parentOf(const std::string& path) {
  const auto cut = path.ends_with("\"]") ? path.rfind("[\"") : path.find_last_of(".[");
  return cut == path.npos ? "" : path.substr(0, cut);
}

}  // namespace

bool Diagnostics::ByPlace::operator()(const Diagnostic& a, const Diagnostic& b) const {
  return Place{a.line, a.column} < Place{b.line, b.column};
}

void Diagnostics::add(Place place, const std::string& path, std::string found,
                      std::string expected) {
  kept_.insert({file_, place.line, place.column, path, std::move(found), std::move(expected)});
  if (kept_.size() > kMaxDiagnostics) kept_.erase(std::prev(kept_.end()));
}

void Diagnostics::addAt(const std::string& path, std::string found, std::string expected) {
  add(placeOf(path), path, std::move(found), std::move(expected));
}

Place Diagnostics::placeOf(std::string path) const {
  for (;;) {
    if (const auto found = places_.find(path); found != places_.end()) return found->second;
    if (path.empty()) return {};
    path = parentOf(path);
  }
}

void Diagnostics::append(const std::vector<Diagnostic>& others) {
  for (const auto& other : others) {
    if (others_.size() < kMaxDiagnostics) others_.push_back(other);
  }
}

bool Diagnostics::isWrong(const std::string& path) const {
  const auto isWithin = [&](const Diagnostic& kept) { return isPathWithin(kept.path, path); };
  return std::any_of(kept_.begin(), kept_.end(), isWithin) ||
         std::any_of(others_.begin(), others_.end(), isWithin);
}

std::vector<Diagnostic> Diagnostics::take() const {
  std::vector<Diagnostic> all(kept_.begin(), kept_.end());
  all.insert(all.end(), others_.begin(), others_.end());
  if (all.size() > kMaxDiagnostics) all.resize(kMaxDiagnostics);
  return all;
}

bool isPathWithin(std::string_view path, std::string_view outer) {
  if (!path.starts_with(outer)) return false;
  path.remove_prefix(outer.size());
  return path.empty() || path[0] == '.' || path[0] == '[';
}

std::string joinPath(const std::string& parent, std::string_view key) {
  const bool plain = std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '-';
  });
  if (!plain || key.empty()) return parent + "[\"" + readable(key) + "\"]";
  return parent.empty() ? std::string(key) : parent + "." + std::string(key);
}

std::string inQuotes(std::string_view text) {
  return "'" + readable(text) + "'";
}

std::string didYouMean(std::string_view text, const std::vector<std::string>& known) {
  if (text.size() > 64) return "";
  const std::string* best = nullptr;
  std::size_t least = text.size() <= 4 ? 2 : 3;  // one or two slips
  for (const auto& word : known) {
    const auto slips = distance(text, word, least);
    if (slips >= least) continue;
    best = &word;
    least = slips;
  }
  return best == nullptr ? "" : " (did you mean " + inQuotes(*best) + "?)";
}

std::size_t utf8Length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (text.empty()) return 0;
  const auto first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const std::size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and beyond U+10FFFF.
  const auto second = byte(1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  return length;
}

}  // namespace l4ward::config
