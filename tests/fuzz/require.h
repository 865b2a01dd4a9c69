// assert() that is there in every build.
#pragma once

#include <cstdlib>

namespace l4ward::fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace l4ward::fuzz
