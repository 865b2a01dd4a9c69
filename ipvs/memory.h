// What an agent must remember across its own restart, because the kernel cannot be asked: the
// record in <run directory>/ipvs.json. Pure; the caller reads and writes the file.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/ip.h"
#include "base/result.h"
#include "ipvs/globals.h"
#include "ipvs/plan.h"
#include "ipvs/types.h"

namespace l4ward::ipvs {

// A kernel setting that l4ward has changed.
struct ChangedSysctl {
  std::string before;
  std::string after;
  bool operator==(const ChangedSysctl&) const = default;
};

struct Memory {
  std::map<ServiceKey, std::set<Prefix>> owned;  // services that are l4ward's, and their VIPs
  LastWeights lastWeights;
  std::map<std::string, std::set<Prefix>> addresses;  // that l4ward added, by interface
  std::set<std::string> interfaces;                   // dummies that l4ward made
  std::map<std::string, ChangedSysctl> sysctls;       // by name
  std::set<SyncRole> syncDaemons;                     // that l4ward started

  bool operator==(const Memory&) const = default;
};

// Records larger than this are not read (10 000 services with 100 servers out are about 1 MB).
inline constexpr std::size_t kMaxMemoryBytes = 16 << 20;

// `identity` says which kernel state the record describes (see ipvs/identity.h).
std::string encode(const Memory& memory, std::string_view identity);

// An error if the record is damaged in any way, has another version or another identity; then
// nothing is known, and the caller goes on with an empty Memory.
Result<Memory> decode(std::string_view text, std::string_view identity);

}  // namespace l4ward::ipvs
