// Who this process is.
#pragma once

#include <pwd.h>
#include <unistd.h>

#include <string>

namespace l4ward {

// The name of the user that this process acts as; the number of one without a name. Not for several
// threads at once.
inline std::string userName() {
  const passwd* entry = ::getpwuid(::geteuid());  // NOLINT(concurrency-mt-unsafe)
  return entry ? entry->pw_name : std::to_string(::geteuid());
}

}  // namespace l4ward
