// The beginning of an answer, kept to look for an Expectation in it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "healthcheck/job.h"
#include "healthcheck/matcher.h"

namespace l4ward::healthcheck {

class Collected {
 public:
  // Both outlive this; `matcher` was made of `expectation`.
  Collected(const Expectation& expectation, const Matcher& matcher)
      : expectation_(expectation), matcher_(matcher) {}

  // Keeps at most maxMatchedBytes of all that is added. True once a plain text is there; of a
  // pattern nothing is known before matches() is asked, since what follows may matter (/ok$/).
  bool add(std::string_view bytes);
  bool matches() const { return matcher_.matches(bytes_); }
  bool full() const { return bytes_.size() == maxMatchedBytes; }
  std::string_view bytes() const { return bytes_; }

 private:
  const Expectation& expectation_;
  const Matcher& matcher_;
  std::string bytes_;
};

}  // namespace l4ward::healthcheck
