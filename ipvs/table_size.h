// How many slots a Maglev table of the running kernel has. It was fixed when the kernel was built,
// and no request of IPVS tells it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "ipvs/kernel.h"

namespace l4ward::ipvs {

struct TableSize {
  std::size_t slots = 0;  // one of kMaglevSizes
  std::string source;     // "/boot/config-6.1.0-1-amd64", "tried in a network namespace"
};

// From the text of a kernel's configuration. Errors: the option CONFIG_IP_VS_MH_TAB_INDEX is not
// there, or is out of its range.
Result<std::size_t> tableSizeFromConfig(std::string_view text);

// Where the configuration of the running kernel may be: /proc/config.gz,
// /boot/config-RELEASE, /usr/lib/modules/RELEASE/config.
std::vector<std::string> kernelConfigPaths();

// From the first of `paths` that can be read; a file may be packed by gzip. An error if there is
// none, or it says nothing of the size. Reads at most 4 MiB of a file.
Result<TableSize> tableSizeByConfiguration(const std::vector<std::string>& paths);

// By behaviour: the kernel refuses to give the scheduler mh to a service of more destinations than
// slots. Adds a service to `kernel` with up to 65522 destinations, and leaves it there: for a
// network namespace that nobody uses. Errors: no mh in the kernel, not done at the deadline.
Result<std::size_t> tableSizeByBehaviour(Kernel& kernel, TimePoint deadline);

// The same for the running kernel, in a network namespace that is made for this and ends with it.
// The caller's own is not touched. Needs CAP_SYS_ADMIN and CAP_NET_ADMIN. Blocks until `timeout`
// at the latest (a thread may stay behind for a few seconds then). At 4093 slots it takes 4094
// destinations, which is a fraction of a second; time grows with the square of the size.
Result<TableSize> tableSizeByBehaviour(Millis timeout);

// By configuration, or else by behaviour; the error names the reasons against both.
Result<TableSize> findTableSize(Millis timeout = Millis(10000));

}  // namespace l4ward::ipvs
