// keepalived.conf line by line, as its reader sees it: without comments, with the files that
// `include` names, with definitions replaced, and without the lines that are for other nodes.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "import/report.h"

namespace l4ward::keepalived {

struct Line {
  std::string text;
  Place place;
};

struct File {
  std::string name;
  std::string text;
};

// The files that the pattern of an `include` names, seen from the file that has it. No files: none
// is there. An error: one cannot be read.
using ReadInclude = std::function<Result<std::vector<File>>(const std::string& pattern,
                                                            const std::string& includedBy)>;

// Of all files together, and of what is made of them.
inline constexpr std::size_t kMaxText = std::size_t{4} << 20;
inline constexpr std::size_t kMaxLines = 200'000;
inline constexpr unsigned kMaxIncludes = 16;  // of files in each other

// `configId` is what `keepalived --config-id` says, by default the first label of the host name;
// lines that begin with @ are for the node with this one. Lines that are left out are reported. An
// error names file and line: more than the limits above, a definition that never ends, a ~SEQ that
// cannot be read.
Result<std::vector<Line>> readLines(const File& file, const std::string& configId,
                                    const ReadInclude& readInclude, Report& report);

}  // namespace l4ward::keepalived
