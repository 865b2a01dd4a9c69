#include "base/result.h"

#include <system_error>

namespace l4ward {

tl::unexpected<Error> failErrno(std::string_view what, int code) {
  return fail(std::string(what) + ": " + std::generic_category().message(code), code);
}

}  // namespace l4ward
