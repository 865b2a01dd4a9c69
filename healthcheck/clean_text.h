// Texts of unknown origin made fit for a log line, a terminal and JSON.
#pragma once

#include <string>
#include <string_view>

namespace l4ward::healthcheck {

// At most `limit` bytes of `text` as printable ASCII: a blank for each run of blanks and control
// characters, none at either end; '?' for each byte beyond ASCII.
std::string cleanText(std::string_view text, std::size_t limit);

}  // namespace l4ward::healthcheck
