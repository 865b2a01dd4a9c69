// A block's statements, taken one keyword after the other. Each that is taken counts as seen.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "import/tree.h"

namespace l4ward::keepalived {

using Micros = std::chrono::microseconds;

// A value and the statement that says it.
template <typename T>
struct Given {
  T value;
  Node* node = nullptr;
};

// A keyword that has no place in a site file, and what is said of it.
struct Fate {
  const char* keyword;
  Level level;
  const char* why;
  const char* advice;
};

class Section {
 public:
  Section(Node& block, Report& report) : block_(&block), report_(&report) {}

  Node& block() const { return *block_; }
  Report& report() const { return *report_; }

  // In the order of the file.
  std::vector<Node*> all(std::initializer_list<std::string_view> keywords) const;
  // The last one, which is what Keepalived goes by; those before it are reported.
  Node* last(std::initializer_list<std::string_view> keywords) const;
  Node* last(std::string_view keyword) const { return last({keyword}); }
  // Reports each of these with all that is in it.
  void say(std::span<const Fate> fates) const;

  // Values of the last such statement. One that cannot be read is reported, and is none: as with
  // Keepalived, which leaves it at its default.
  std::optional<Given<std::string>> text(std::string_view keyword) const;
  std::optional<Given<std::uint32_t>> number(std::string_view keyword, std::uint32_t min,
                                             std::uint32_t max) const;
  // Seconds with a fraction, at most a day.
  std::optional<Given<Micros>> timer(std::string_view keyword) const;
  // Without a word it is true.
  std::optional<Given<bool>> flag(std::string_view keyword) const;

 private:
  Node* block_;
  Report* report_;
};

std::optional<std::uint32_t> parseNumber(std::string_view text, std::uint32_t min,
                                         std::uint32_t max);

// Reports words behind the first `expected` ones (the keyword is one of them).
void expectWords(Node& node, std::size_t expected, Report& report);
// Reports a value that Keepalived does not take either.
void sayInvalid(Node& node, const std::string& expected, Report& report);

}  // namespace l4ward::keepalived
