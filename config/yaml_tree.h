// YAML text as a tree of plain nodes that know where they stand.
//
// Built from yaml-cpp's events and not from its YAML::Node, which hides duplicate keys, loses the
// place of empty values and throws when asked for the wrong type. Whatever the bytes, the tree is
// bounded: see the limits below.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace l4ward::config {

// Lines and columns count from 1; columns are characters, not bytes.
struct Place {
  int line = 0;
  int column = 0;
  auto operator<=>(const Place&) const = default;
};

struct Node {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  Place place;
  std::string text;  // scalars only, without quotes
  std::vector<Node> children;
  std::string key;  // children of maps only, as is keyPlace
  Place keyPlace;
};

inline constexpr std::size_t kMaxNodes = 250'000;  // with every alias counted as what it stands for
inline constexpr std::size_t kMaxDepth = 32;       // of lists and maps in each other
inline constexpr std::size_t kMaxScalar = 4096;    // bytes of one value or key

// One document of UTF-8 text. Aliases are replaced by what they stand for; tags, keys that are not
// text, control characters and a second document are errors. Never throws. `file` is only named in
// the diagnostic.
tl::expected<Node, Diagnostic> parseYaml(std::string_view text, const std::string& file);

}  // namespace l4ward::config
