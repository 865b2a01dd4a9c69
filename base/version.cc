#include "base/version.h"

namespace l4ward {

const char* const kVersion = L4WARD_VERSION;

}  // namespace l4ward
