// $NAME=VALUE and what becomes of $NAME and ${NAME} (keepalived.conf(5), "Parameter substitution").
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace l4ward::keepalived {

// "$NAME=VALUE": where the name ends and the value begins. None: the line is no definition.
struct Definition {
  std::string name;
  std::string value;  // without blanks at both ends
};
std::optional<Definition> parseDefinition(std::string_view line);

inline constexpr std::size_t kMaxLine = std::size_t{64} << 10;  // bytes

class Definitions {
 public:
  void set(const std::string& name, std::vector<std::string> lines);

  struct Substituted {
    std::string text;
    std::vector<std::string> following;  // further lines of a definition that has several
    bool changed = false;
    bool random = false;  // ${_RANDOM} was in it, and has become its smallest value
  };
  // Replaces once, so that what comes out may have names again. Names that nobody has defined stay.
  // One of several lines is replaced at the end of `text` only. Stops when more than kMaxLine bytes
  // have come out.
  Substituted replace(std::string_view text) const;

 private:
  struct Found;
  Found find(std::string_view text, std::size_t dollar) const;

  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

}  // namespace l4ward::keepalived
