// The status page's files, which the program holds in itself: control/page/.
#pragma once

#include <span>
#include <string_view>

namespace l4ward::control {

struct Asset {
  std::string_view path;  // "/app.js"; the page itself is "/"
  std::string_view type;  // for Content-Type: "text/javascript; charset=utf-8"
  std::string_view content;
};

// Valid for as long as the program runs.
std::span<const Asset> pageAssets();

// For Content-Security-Policy, with every one of them: nothing but these files, and this node's
// answers; the icon is a data: URL.
inline constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

}  // namespace l4ward::control
