// How regular expressions are compiled: the site file's reader and the prober must agree.
#pragma once

#include <re2/re2.h>

#include <cstdint>

namespace l4ward::healthcheck {

inline re2::RE2::Options patternOptions() {
  re2::RE2::Options options;
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // answers may be any bytes
  options.set_max_mem(std::int64_t{1} << 20);
  options.set_log_errors(false);
  options.set_never_capture(true);
  return options;
}

}  // namespace l4ward::healthcheck
