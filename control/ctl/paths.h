// Where the agent's control socket is.
#pragma once

#include <string>

namespace l4ward::ctl {

inline constexpr const char* kRunDir = "/run/l4ward";
inline constexpr const char* kSocketName = "control.sock";

// `netns`: the agent's network namespace; "" for none.
inline std::string defaultSocket(const std::string& netns) {
  return std::string(kRunDir) + (netns.empty() ? "" : "/" + netns) + "/" + kSocketName;
}

}  // namespace l4ward::ctl
