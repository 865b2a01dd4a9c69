#include "import/report.h"

#include <algorithm>

#include "import/tree.h"

namespace l4ward::keepalived {
namespace {

constexpr std::size_t kMaxValue = 120;  // bytes of a value that are shown

// One line of printable text.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMaxValue)) {
    const bool plain = c >= ' ' && c != '\x7f';  // bytes of UTF-8 are negative here
    out += plain || static_cast<unsigned char>(c) >= 0x80 ? c : '?';
  }
  return text.size() > kMaxValue ? out + "..." : out;
}

}  // namespace

std::string Place::str() const {
  return (file ? *file : "") + (line > 0 ? ":" + std::to_string(line) : "");
}

std::string_view toString(Level level) {
  switch (level) {
    case Level::lost:
      return "lost";
    case Level::changed:
      return "changed";
    case Level::note:
      break;
  }
  return "note";
}

std::string ReportLine::str() const {
  std::string text = file;
  if (line > 0) text += ":" + std::to_string(line);
  text += ": " + std::string(toString(level)) + ": " + keyword;
  if (!value.empty()) text += " " + value;
  text += ": " + why;
  return advice.empty() ? text : text + "; " + advice;
}

void Report::add(Node& node, Remark remark) {
  node.seen = true;
  std::string value;
  for (std::size_t i = 1; i < node.words.size() && value.size() <= kMaxValue; ++i) {
    value += (i > 1 ? " " : "") + node.words[i];
  }
  add(node.place, node.keyword(), std::move(value), std::move(remark));
}

void Report::add(const Place& place, std::string keyword, std::string value, Remark remark) {
  const std::string file = place.file ? *place.file : "";
  keyword = shown(keyword);
  value = shown(value);
  // Inherited statements are met once for each that inherits them.
  if (!known_.emplace(file, place.line, keyword + " " + value, remark.why).second) return;
  if (std::find(files_.begin(), files_.end(), file) == files_.end()) files_.push_back(file);
  lines_.push_back({file, place.line, std::move(keyword), std::move(value), remark.level,
                    std::move(remark.why), std::move(remark.advice)});
}

std::vector<ReportLine> Report::take() {
  const auto rank = [&](const ReportLine& line) {
    const auto file = std::find(files_.begin(), files_.end(), line.file);
    return std::tuple(line.line > 0, file - files_.begin(), line.line);
  };
  std::stable_sort(lines_.begin(), lines_.end(),
                   [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return std::move(lines_);
}

}  // namespace l4ward::keepalived
