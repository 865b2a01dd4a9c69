// Kernel settings under /proc/sys.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace l4ward {

struct SysctlChange {
  std::string name;
  std::string before;  // empty if it could not be read
  std::string after;   // what was wanted
  std::optional<Error> error;
};

// The path below /proc/sys, as sysctl(8) reads names: the first '.' or '/' of a name is its
// separator, and the other one stands for '.' or '/' inside a part, so
// "net.ipv4.conf.eth0/100.rp_filter" and "net/ipv4/conf/eth0.100/rp_filter" are the same. An error
// if it would leave /proc/sys.
Result<std::string> sysctlPath(const std::string& name);

// The value, blanks compared as one; code ENOENT if there is no such setting.
Result<std::string> readSysctl(const std::string& name, const std::string& root = "/proc/sys");

// What applySysctls() would change, or fails to read. Writes nothing.
std::vector<SysctlChange> compareSysctls(const std::map<std::string, std::string>& wanted,
                                         const std::string& root = "/proc/sys");

// Writes each value that differs from the kernel's; blanks are compared as one. Returns what it
// changed or could not change, in the map's order; nothing to do: empty, and nothing was written.
// `root` is for tests.
std::vector<SysctlChange> applySysctls(const std::map<std::string, std::string>& wanted,
                                       const std::string& root = "/proc/sys");

}  // namespace l4ward
