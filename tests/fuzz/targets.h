// What is fuzzed: each function takes any bytes, hands them to a parser of what comes from outside,
// and checks what must hold of the result. A finding is a crash, a sanitizer's report or a thrown
// exception. By libFuzzer with `make fuzz`, by mutations.h in the unit tests.
#pragma once

#include <cstdint>
#include <span>

namespace l4ward::fuzz {

using Input = std::span<const std::uint8_t>;

inline constexpr const char* kRecordIdentity = "boot net:1";

void netlink(Input datagram);  // from the kernel, about IPVS
void memory(Input text);       // the record ipvs.json, with this identity
void site(Input text);         // site.yaml

}  // namespace l4ward::fuzz
