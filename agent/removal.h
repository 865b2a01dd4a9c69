// Takes away from the kernel what agents have left there, for a node that l4ward leaves.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "agent/memory_file.h"
#include "agent/vips.h"
#include "base/result.h"
#include "ipvs/globals.h"
#include "ipvs/kernel.h"

namespace l4ward::agent {

struct RemovalKernel {
  ipvs::Kernel& ipvs;
  ipvs::GlobalsKernel& globals;
  Interfaces& interfaces;
  std::function<Status(const std::string& name)> removeDummy;
  // Sets it to what was there before, unless somebody has changed it since.
  std::function<Status(const std::string& name, const ipvs::ChangedSysctl&)> restoreSysctl;
};

struct Removed {
  std::size_t services = 0;
  std::size_t addresses = 0;   // and ranges
  std::size_t interfaces = 0;  // dummies
  std::size_t sysctls = 0;     // restored
  bool complete = true;        // else something is left, which the log tells and the record keeps
};

// Whether the record names anything that is l4ward's. If not, the kernel need not be opened.
bool ownsAnything(const ipvs::Memory& memory);

// Deletes the services on record with all that they hold, then the addresses, then the interfaces
// that l4ward made, stops its synchronisation daemons and restores the sysctls that it set. Others'
// are left alone, timeouts as they are. No agent may run, and no router may have a route to this
// node. What is gone leaves the record. An error if the kernel's table cannot be read; then nothing
// was changed.
Result<Removed> removeOwned(const RemovalKernel& kernel, MemoryFile& memory);

}  // namespace l4ward::agent
