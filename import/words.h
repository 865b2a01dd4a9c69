// How Keepalived takes a line apart (keepalived.conf(5), "Quoted strings").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace l4ward::keepalived {

using Words = std::vector<std::string>;

// Without blanks at both ends.
std::string_view trim(std::string_view text);

// `text` without its comment and without blanks at both ends. Quoted '#' and '!' stay, and so do
// '\#' and '\!', without the backslash. A backslash at the very end stays behind a comment, too.
std::string withoutComment(std::string_view text);

// Whether a double quote is open at the end.
bool isOpenQuoted(std::string_view text);

// Most statements: words between blanks, "…" is one word, nothing is escaped.
Words splitWords(std::string_view text);

// Regular expressions and scripts: as a shell has it, with '…', "…" and the escapes of the manual.
// None: a quote or an escape without an end.
std::optional<Words> splitQuoted(std::string_view text);

// A script with its arguments, behind the keyword: one quoted word is taken apart once more.
std::optional<Words> splitCommand(std::string_view text);

}  // namespace l4ward::keepalived
