// Errors are values: what can fail for a reason outside this program returns Result<T>.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace l4ward {

// What went wrong, in a sentence a person can act on; `code` is the errno it came from, or 0.
struct Error {
  std::string message;
  int code = 0;

  bool operator==(const Error&) const = default;
};

template <typename T>
using Result = tl::expected<T, Error>;

using Status = Result<void>;

inline tl::unexpected<Error> fail(std::string message, int code = 0) {
  return tl::unexpected<Error>(Error{std::move(message), code});
}

// fail(what + ": " + strerror(code)), the usual end of a failed system call.
tl::unexpected<Error> failErrno(std::string_view what, int code);

}  // namespace l4ward
