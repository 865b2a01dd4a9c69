// A long screen seen through a terminal's window. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "control/ctl/text.h"

namespace l4ward::ctl {

struct Window {
  std::size_t rows = 24;
  std::size_t columns = 80;
};

// What to write so that the terminal shows `text` from line `top` on, with `footer` in its last
// row: each line is written over the old one and then cleared behind its end, so nothing flickers.
// `top` is brought into range. Lines of `text` fit `window.columns`, or are cut off.
std::string frame(const std::string& text, const std::string& footer, const Window& window,
                  std::size_t& top);

}  // namespace l4ward::ctl
