#include "control/ctl/table.h"

#include <algorithm>

namespace l4ward::ctl {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastCut = 10;   // columns that a cut column keeps
constexpr std::size_t kLeastWrap = 24;  // and one that wraps

std::string blanks(std::size_t count) {
  return std::string(count, ' ');
}

std::string padded(const Cell& cell, const Column& column, std::size_t width, const Style& style) {
  const std::string text = cut(cell.text, width);
  const auto missing = blanks(width - columnsOf(text));
  const auto shown = painted(text, cell.tone, style);
  return column.kind == Column::Kind::right ? missing + shown : shown + missing;
}

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

Cell::Cell(const std::string& given, Tone howSaid) : text(clean(given)), tone(howSaid) {}

void Table::row(std::vector<Cell> cells) {
  cells.resize(columns_.size(), Cell(""));
  rows_.push_back({std::move(cells), {}});
}

void Table::note(const std::string& text, Tone tone) {
  rows_.back().notes.emplace_back(text, tone);
}

std::vector<std::size_t> Table::widths(const Style& style) const {
  std::vector<std::size_t> widths(columns_.size(), 0);
  std::size_t total = indent_;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    for (const auto& row : rows_) widths[i] = std::max(widths[i], columnsOf(row.cells[i].text));
    if (widths[i] == 0) continue;
    widths[i] = std::max(widths[i], columnsOf(columns_[i].title));
    total += widths[i] + (total > indent_ ? kGap : 0);
  }
  if (style.width == 0) return widths;
  const auto shrink = [&](std::size_t i, std::size_t least) {
    if (total <= style.width || widths[i] <= least) return;
    const auto less = std::min(total - style.width, widths[i] - least);
    widths[i] -= less;
    total -= less;
  };
  if (!columns_.empty() && columns_.back().kind == Column::Kind::wrap) {
    shrink(columns_.size() - 1, kLeastWrap);
  }
  // One column after the other, the widest first.
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].kind == Column::Kind::cut) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return widths[a] > widths[b]; });
  for (const auto i : order) shrink(i, kLeastCut);
  return widths;
}

std::string Table::line(const std::vector<Cell>& cells, const std::vector<std::size_t>& widths,
                        const Style& style) const {
  std::string line = blanks(indent_);
  std::string more;  // lines of a cell that wraps
  std::size_t used = indent_;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (widths[i] == 0) continue;
    if (used > indent_) {
      line += blanks(kGap);
      used += kGap;
    }
    if (columns_[i].kind == Column::Kind::wrap) {
      const auto parts = wrap(cells[i].text, widths[i]);
      line += painted(parts.front(), cells[i].tone, style);
      for (std::size_t part = 1; part < parts.size(); ++part) {
        more += blanks(used) + painted(parts[part], cells[i].tone, style) + "\n";
      }
    } else {
      line += padded(cells[i], columns_[i], widths[i], style);
    }
    used += widths[i];
  }
  return trimmed(line) + "\n" + more;
}

std::string Table::str(const Style& style) const {
  if (rows_.empty()) return "";
  const auto sizes = widths(style);
  std::string text;
  std::vector<Cell> titles;
  for (const auto& column : columns_) titles.emplace_back(column.title, Tone::strong);
  const bool titled = std::any_of(columns_.begin(), columns_.end(),
                                  [](const Column& column) { return !column.title.empty(); });
  if (titled) text += line(titles, sizes, style);
  for (const auto& row : rows_) {
    text += line(row.cells, sizes, style);
    for (const auto& note : row.notes) {
      const auto room = style.width > indent_ + 4 + kLeastWrap ? style.width - indent_ - 4 : 0;
      const auto parts = room > 0 ? wrap(note.text, room) : std::vector<std::string>{note.text};
      for (const auto& part : parts) {
        text += blanks(indent_ + 4) + painted(part, note.tone, style) + "\n";
      }
    }
  }
  return text;
}

}  // namespace l4ward::ctl
