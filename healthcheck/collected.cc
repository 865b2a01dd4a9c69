#include "healthcheck/collected.h"

#include <algorithm>

namespace l4ward::healthcheck {

bool Collected::add(std::string_view bytes) {
  const auto known = bytes_.size();
  bytes_.append(bytes.substr(0, maxMatchedBytes - known));
  if (expectation_.isPattern) return false;
  // Only where it can be new: a server that sends byte by byte must not cost a search of all.
  const auto overlap = std::min(known, expectation_.text.size());
  return matcher_.matches(std::string_view(bytes_).substr(known - overlap));
}

}  // namespace l4ward::healthcheck
