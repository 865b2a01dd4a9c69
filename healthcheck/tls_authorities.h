// The authorities whose certificates are believed. A system's bundle takes a megabyte and tens of
// milliseconds to read, so that all jobs of a thread share it.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace l4ward::healthcheck {

// Of a file of PEM certificates; "" stands for the system's. It is read unless the same thread has
// done so and somebody still holds the result; a file that has changed since is read anew. The
// error names file and reason.
Result<std::shared_ptr<X509_STORE>> authorities(const std::string& caFile);

}  // namespace l4ward::healthcheck
