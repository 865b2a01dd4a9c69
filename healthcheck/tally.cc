#include "healthcheck/tally.h"

#include <iterator>

namespace l4ward::healthcheck {

std::string_view nameOfEnding(std::size_t ending) {
  constexpr std::string_view kAnswers[] = {"pass", "drain", "silent", "error"};
  if (ending < std::size(kAnswers)) return kAnswers[ending];
  return toString(static_cast<FailureKind>(ending - std::size(kAnswers)));
}

}  // namespace l4ward::healthcheck
