// l4wardctl: does what its command line says.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "control/ctl/text.h"

namespace l4ward::ctl {

// Where a command prints, and what that can show.
struct Terminal {
  std::ostream& out;
  std::ostream& err;
  bool interactive = false;    // `out` is a terminal that knows escapes
  bool colours = false;        // and its user likes colours
  std::size_t width = 0;       // of it; 0: lines may be as long as they like
  std::size_t errorWidth = 0;  // the same of `err`
};

// The exit status: answers.h.
int run(const std::vector<std::string>& arguments, Terminal terminal);

}  // namespace l4ward::ctl
