#include "agent/removal.h"

#include <cstdint>
#include <map>
#include <vector>

#include "agent/globals_keeper.h"
#include "base/log.h"

namespace l4ward::agent {
namespace {

std::size_t countOf(const std::map<std::string, std::set<Prefix>>& addresses) {
  std::size_t count = 0;
  for (const auto& [interface, set] : addresses) count += set.size();
  return count;
}

// How many were deleted. Those that the kernel does not give up stay on record.
Result<std::size_t> removeServices(ipvs::Kernel& kernel, MemoryFile& memory) {
  auto& owned = memory.value.owned;
  const auto actual = kernel.dump();
  if (!actual) return tl::unexpected(actual.error());
  std::vector<ipvs::Operation> operations;
  for (const auto& [key, vips] : owned) {
    if (actual->contains(key)) operations.push_back({key, ipvs::DeleteService{}});
  }
  const auto report = kernel.apply(operations);
  for (const auto& failure : report.failures) {
    log::error("ipvs.operation_failed",
               {{"operation", operations[failure.index].str()}, {"reason", failure.error.message}});
  }
  const auto left = kernel.dump();
  if (!left) return tl::unexpected(left.error());
  std::erase_if(owned, [&](const auto& entry) { return !left->contains(entry.first); });
  memory.value.lastWeights.clear();
  memory.save();
  return operations.size() - owned.size();
}

std::size_t removeDummies(const RemovalKernel& kernel, MemoryFile& memory) {
  return std::erase_if(memory.value.interfaces, [&](const std::string& name) {
    if (memory.value.addresses.contains(name)) return false;
    const auto removed = kernel.removeDummy(name);
    if (!removed) {
      log::error("interface.not_removed",
                 {{"interface", name}, {"reason", removed.error().message}});
    }
    return removed.has_value();
  });
}

std::size_t restoreSysctls(const RemovalKernel& kernel, MemoryFile& memory) {
  return std::erase_if(memory.value.sysctls, [&](const auto& entry) {
    const auto& [name, change] = entry;
    const auto restored = kernel.restoreSysctl(name, change);
    if (!restored) {
      log::error("sysctl.failed", {{"name", name}, {"reason", restored.error().message}});
    }
    return restored.has_value();
  });
}

}  // namespace

bool ownsAnything(const ipvs::Memory& memory) {
  return !memory.owned.empty() || !memory.addresses.empty() || !memory.interfaces.empty() ||
         !memory.syncDaemons.empty() || !memory.sysctls.empty();
}

Result<Removed> removeOwned(const RemovalKernel& kernel, MemoryFile& memory) {
  Removed removed;
  const auto services = removeServices(kernel.ipvs, memory);
  if (!services) return tl::unexpected(services.error());
  removed.services = *services;
  const auto addresses = countOf(memory.value.addresses);
  Vips(kernel.interfaces, memory).releaseOthers("", {});
  removed.addresses = addresses - countOf(memory.value.addresses);
  removed.interfaces = removeDummies(kernel, memory);
  GlobalsKeeper(kernel.globals, memory).reconcile({}, Clock::now(), Millis(0));
  removed.sysctls = restoreSysctls(kernel, memory);
  memory.save();
  removed.complete = !ownsAnything(memory.value);
  return removed;
}

}  // namespace l4ward::agent
