// What this machine calls itself.
#pragma once

#include <string>

namespace l4ward {

// As gethostname(2) says it; empty if it has none.
std::string hostName();
// Its first label: "lb4-1" of "lb4-1.example.org".
std::string shortHostName();

}  // namespace l4ward
