// Overrides as files that other tools touch: one file each, its name says what, its first line why.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/override.h"

namespace l4ward::agent {

inline constexpr std::size_t kMaxOverrideFiles = 1000;

// "drain:node", "disable:vip:2001:db8::1", "drain:vip:198.51.100.0_29" (a range: '_' for '/'),
// "drain:service:web", "drain:server:lb7-1", "disable:server:edge:lb7-1". With `action` and
// `subject` filled in; an error says what was expected.
Result<control::Override> overrideOfFileName(std::string_view name);

// A directory of them. Files are read only when something in it has changed, so that it can be
// looked at often.
class OverrideFiles {
 public:
  // All of them, if anything changed since the last look. A directory that is not there has none;
  // one that cannot be read has those it had. Files that say nothing are logged once each, names
  // with a leading dot are for tools that write and rename.
  std::optional<std::vector<control::Override>> look(const std::string& directory);

 private:
  struct Print {
    std::int64_t seconds = 0;  // when it was written
    std::int64_t nanoseconds = 0;
    std::int64_t size = 0;
    std::uint64_t inode = 0;
    bool isRegular = false;
    auto operator<=>(const Print&) const = default;
  };
  using Prints = std::map<std::string, Print>;

  Result<Prints> list(const std::string& directory);
  std::vector<control::Override> read(const std::string& directory);

  std::string directory_;
  Prints seen_;
  std::set<std::string> ignored_;  // and logged
  bool isUnreadable_ = false;
  bool isFull_ = false;
};

}  // namespace l4ward::agent
