#include "ipvs/identity.h"

#include <sys/stat.h>

#include <cerrno>

#include "base/file.h"

namespace l4ward::ipvs {

Result<std::string> kernelIdentity() {
  auto boot = readFile("/proc/sys/kernel/random/boot_id", 128);
  if (!boot) return tl::unexpected(boot.error());
  while (boot->ends_with('\n')) boot->pop_back();
  struct stat status {};
  if (::stat("/proc/self/ns/net", &status) != 0) {
    return failErrno("cannot read /proc/self/ns/net", errno);
  }
  return *boot + " net:" + std::to_string(status.st_ino);
}

}  // namespace l4ward::ipvs
