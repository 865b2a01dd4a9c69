#include "agent/remove_command.h"

#include <cerrno>
#include <filesystem>
#include <iostream>
#include <string>

#include "agent/addresses.h"
#include "agent/interfaces.h"
#include "agent/memory_file.h"
#include "agent/removal.h"
#include "agent/setup.h"
#include "agent/sysctl.h"
#include "base/netns.h"
#include "ipvs/globals_netlink.h"
#include "ipvs/identity.h"
#include "ipvs/netlink.h"

namespace l4ward::agent {
namespace {

Status removeDummy(const std::string& name) {
  const auto netlink = Addresses::open();
  if (!netlink) return tl::unexpected(netlink.error());
  const auto removed = netlink->removeDummy(name);
  if (!removed) return tl::unexpected(removed.error());
  return {};
}

// One that is gone, with an interface for instance, needs nothing.
Status restoreSysctl(const std::string& name, const ipvs::ChangedSysctl& change) {
  const auto now = readSysctl(name);
  if (!now && now.error().code != ENOENT) return tl::unexpected(now.error());
  if (!now || *now != change.after) return {};
  for (const auto& written : applySysctls({{name, change.before}})) {
    if (written.error) return tl::unexpected(*written.error);
  }
  return {};
}

std::string count(std::size_t number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

// Nothing, if nothing is on record.
Result<Removed> removeRecorded(const Options& options) {
  if (!options.netns.empty()) {
    if (const auto entered = enterNetns(options.netns); !entered) {
      return tl::unexpected(entered.error());
    }
  }
  // A node without a record gets neither a run directory nor IPVS's modules.
  std::error_code ignored;
  if (!std::filesystem::exists(recordPath(options), ignored)) return Removed{};
  const auto lock = lockRunDir(options.runDir);
  if (!lock) return tl::unexpected(lock.error());
  const auto identity = ipvs::kernelIdentity();
  if (!identity) return tl::unexpected(identity.error());
  MemoryFile memory(recordPath(options), *identity);
  memory.load();
  if (!ownsAnything(memory.value)) return Removed{};
  const auto kernel = ipvs::NetlinkKernel::open();
  if (!kernel) return tl::unexpected(kernel.error());
  ipvs::NetlinkGlobals globals(ipvs::netlinkChannels({}));
  KernelInterfaces interfaces;
  return removeOwned({**kernel, globals, interfaces, removeDummy, restoreSysctl}, memory);
}

}  // namespace

int removeCommand(const Options& options) {
  const auto removed = removeRecorded(options);
  if (!removed) {
    std::cerr << "l4ward: " << removed.error().message << '\n';
    return 1;
  }
  std::cout << "removed " << count(removed->services, "IPVS service") << ", "
            << count(removed->addresses, "virtual IP") << ", "
            << count(removed->interfaces, "interface") << "; restored "
            << count(removed->sysctls, "kernel setting") << '\n';
  if (removed->complete) return 0;
  std::cerr << "l4ward: not all could be removed; try again: l4ward --remove\n";
  return 1;
}

}  // namespace l4ward::agent
