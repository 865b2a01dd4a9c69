// Small files: read whole with a bound, replaced whole or not at all.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace l4ward {

// The whole file; an error (with errno as code) if it cannot be read or is larger than `limit`
// bytes.
Result<std::string> readFile(const std::string& path, std::size_t limit);

// Writes to a temporary file beside `path` and renames it over: readers see the old or the new
// content, also after a kill. Not synced to disk: meant for /run. `mode` as for chmod(2).
Status replaceFile(const std::string& path, std::string_view content, unsigned mode = 0640);
// The same, and on disk when it returns: also after a power cut (fsync(2) of file and directory).
Status replaceFileDurably(const std::string& path, std::string_view content, unsigned mode = 0640);

}  // namespace l4ward
