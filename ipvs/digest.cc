#include "ipvs/digest.h"

#include "base/hash.h"
#include "ipvs/maglev_service.h"

namespace l4ward::ipvs {

std::string digest(const MaglevTable& table, std::uint32_t flags) {
  Fnv1a hash;
  hash.add(static_cast<std::uint8_t>((flags & kFlagMhFallback ? 1U : 0U) |
                                     (flags & kFlagMhPort ? 2U : 0U)));
  for (const auto slot : table.slots()) {
    const auto& [address, port] = table.servers()[slot].address;
    hash.add(address.isV4() ? 4 : 6);
    for (const auto byte : address.bytes()) hash.add(byte);
    hash.add(static_cast<std::uint8_t>(port >> 8));
    hash.add(static_cast<std::uint8_t>(port & 0xff));
  }
  return "mh1:" + std::to_string(table.size()) + ":" + hashText(hash.value());
}

std::optional<std::string> digest(const ServiceKey& key, const ActualService& service,
                                  const LastWeights& lastWeights, std::size_t size) {
  const auto table = maglevTable(key, service, lastWeights, size);
  if (!table) return std::nullopt;
  return digest(*table, service.config.flags);
}

}  // namespace l4ward::ipvs
