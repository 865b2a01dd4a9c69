#include "ipvs/netlink_statistics.h"

namespace l4ward::ipvs {

Result<Statistics> NetlinkStatistics::read() {
  Statistics all;
  const auto status = dump_.repeated([&]() -> Status {
    all.clear();
    auto read = dump_.services([&](ByteView attributes) -> Status {
      const auto service = decodeService(attributes);
      if (!service) return tl::unexpected(service.error());
      if (!*service) return {};
      if (!all.try_emplace((*service)->key, ServiceStatistics{(*service)->counters, {}}).second) {
        return NetlinkDump::changed();
      }
      return {};
    });
    for (auto entry = all.begin(); read && entry != all.end(); ++entry) {
      read = dump_.destinations(entry->first, [&](ByteView attributes) -> Status {
        const auto destination = decodeDestinationStatistics(attributes, entry->first.family());
        if (!destination) return tl::unexpected(destination.error());
        const bool isNew = entry->second.destinations.insert(*destination).second;
        return isNew ? Status() : NetlinkDump::changed();
      });
    }
    return read;
  });
  if (!status) return tl::unexpected(status.error());
  return all;
}

}  // namespace l4ward::ipvs
