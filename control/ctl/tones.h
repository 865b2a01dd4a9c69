// Which states are well and which are not: words of control/status.h. Pure.
#pragma once

#include <string>

#include "control/ctl/text.h"

namespace l4ward::ctl {

// Of a server, check, virtual IP, neighbor, phase or alarm.
Tone toneOf(const std::string& state);
// Tone::good or plain: nobody needs to look at it.
inline bool isWell(const std::string& state) {
  const auto tone = toneOf(state);
  return tone == Tone::good || tone == Tone::plain;
}

}  // namespace l4ward::ctl
