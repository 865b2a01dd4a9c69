#include <string>

#include "ipvs/memory.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace l4ward::fuzz {

void memory(Input text) {
  const std::string own(text.begin(), text.end());
  const auto decoded = ipvs::decode(own, kRecordIdentity);
  if (!decoded) return;
  require(ipvs::decode(ipvs::encode(*decoded, kRecordIdentity), kRecordIdentity) == decoded);
}

}  // namespace l4ward::fuzz
