// keepalived.conf as a tree of statements, each with its words, its place and its block.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "import/lines.h"
#include "import/report.h"
#include "import/words.h"

namespace l4ward::keepalived {

struct Node {
  Words words;      // as splitWords(raw); the first is the keyword
  std::string raw;  // with quotes, for statements that are taken apart in another way
  Place place;
  bool block = false;  // whether it has braces
  std::vector<Node> children;
  bool seen = false;    // used, or in the report; what nobody has seen at the end is reported
  bool useful = false;  // an inherited value that something was made of

  const std::string& keyword() const { return words.front(); }
  // The words behind the keyword; empty if there are not so many.
  const std::string& word(std::size_t index) const;
};

inline constexpr std::size_t kMaxNesting = 32;

// The root, whose own words are empty. Braces are words by themselves wherever they stand outside
// of double quotes. An error names file and line: a brace too many or too few, nesting that is too
// deep, a quote without an end.
Result<Node> parseTree(const std::vector<Line>& lines);

// A block that is reported as a whole: everything in it counts as seen.
void markSeen(Node& node);

}  // namespace l4ward::keepalived
