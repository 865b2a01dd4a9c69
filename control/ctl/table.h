// Aligned columns that fit a terminal. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "control/ctl/text.h"

namespace l4ward::ctl {

struct Cell {
  // NOLINTBEGIN(google-explicit-constructor): a table's rows are written as lists of texts
  Cell(const std::string& given, Tone howSaid = Tone::plain);
  Cell(const char* given) : Cell(std::string(given)) {}
  // NOLINTEND(google-explicit-constructor)

  std::string text;  // clean
  Tone tone;
};

struct Column {
  enum class Kind {
    left,   // never cut
    right,  // never cut: numbers
    cut,    // cut where there is no room
    wrap,   // goes on in the next line; only the last column
  };
  std::string title;
  Kind kind = Kind::left;
};

class Table {
 public:
  // Without titles there is no line of titles. Columns whose cells are all empty are left out.
  explicit Table(std::vector<Column> columns, std::size_t indent = 0)
      : columns_(std::move(columns)), indent_(indent) {}

  // As many cells as columns, or fewer: the rest is empty.
  void row(std::vector<Cell> cells);
  // A line of its own behind the last row, indented.
  void note(const std::string& text, Tone tone = Tone::plain);
  bool empty() const { return rows_.empty(); }
  // Every line ends with a line break. Cells keep 2 columns between them.
  std::string str(const Style& style) const;

 private:
  struct Row {
    std::vector<Cell> cells;
    std::vector<Cell> notes;
  };

  // 0 for a column that is left out.
  std::vector<std::size_t> widths(const Style& style) const;
  std::string line(const std::vector<Cell>& cells, const std::vector<std::size_t>& widths,
                   const Style& style) const;

  std::vector<Column> columns_;
  std::size_t indent_;
  std::vector<Row> rows_;
};

}  // namespace l4ward::ctl
