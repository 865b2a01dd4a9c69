// ~SEQ and ~LST: a line that stands for several (keepalived.conf(5), "Sequence blocks").
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace l4ward::keepalived {

struct Sequence {
  // For each repetition, the definitions that hold while `rest` is read.
  std::vector<std::vector<std::pair<std::string, std::string>>> rounds;
  std::string rest;
};

inline constexpr std::size_t kMaxRounds = 65536;

// Whether the line begins with ~SEQ or ~LST.
bool isSequence(std::string_view line);
// Names in the parentheses have been replaced by then. An error says what is wrong with it.
Result<Sequence> parseSequence(std::string_view line);

}  // namespace l4ward::keepalived
