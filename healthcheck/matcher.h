// Looks for an Expectation in an answer that comes in pieces. Pure.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "healthcheck/job.h"

namespace re2 {
class RE2;
}

namespace l4ward::healthcheck {

class Matcher {
 public:
  // An error if the pattern is no regular expression, or a too large one: RE2's explanation.
  static Result<Matcher> make(const Expectation& expectation);
  // As make; nothing if nothing is expected.
  static Result<std::optional<Matcher>> makeIf(const std::optional<Expectation>& expectation);
  Matcher(Matcher&&) noexcept;
  Matcher& operator=(Matcher&&) noexcept;
  ~Matcher();

  // Whether it stands in `text`, of which only the first maxMatchedBytes count.
  bool matches(std::string_view text) const;
  // "'ready'" or "/rea.y/"
  std::string describe() const;

 private:
  Matcher(Expectation expectation, std::unique_ptr<re2::RE2> pattern);
  Expectation expectation_;
  std::unique_ptr<re2::RE2> pattern_;
};

}  // namespace l4ward::healthcheck
