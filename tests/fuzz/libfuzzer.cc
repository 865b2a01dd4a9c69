// libFuzzer's entry, for the target that L4WARD_FUZZ_TARGET names.
#ifndef L4WARD_FUZZ_TARGET
#define L4WARD_FUZZ_TARGET netlink  // for tools that look at this file alone
#endif

#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  l4ward::fuzz::L4WARD_FUZZ_TARGET({data, size});
  return 0;
}
