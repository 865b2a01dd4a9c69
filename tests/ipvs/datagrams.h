// Netlink datagrams as the kernel writes them, put together by hand.
#pragma once

#include <linux/ip_vs.h>
#include <linux/netlink.h>

#include <cstdint>
#include <string>

#include "ipvs/messages.h"

namespace l4ward::ipvs {

inline constexpr int kFamilyNumber = 29;  // what "IPVS" has in these

template <typename T>
Bytes raw(const T& value) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(&value);
  return {begin, begin + sizeof value};
}

Bytes operator+(Bytes left, const Bytes& right);

Bytes text(const std::string& value);             // with its final NUL
Bytes attribute(int type, const Bytes& payload);  // padded to four bytes
Bytes message(int type, int flags, std::uint32_t sequence, const Bytes& payload);

// Messages of IPVS.
Bytes data(std::uint32_t sequence, int command, const Bytes& attributes, int flags = NLM_F_MULTI);
Bytes status(std::uint32_t sequence, int code, const std::string& explanation = {});
Bytes done(std::uint32_t sequence, int flags = NLM_F_MULTI, int code = 0);

// The content of a message about one service or destination; `more` is put behind its attributes.
Bytes serviceContent(const ServiceKey& key, const ServiceConfig& config, const Bytes& more = {});
Bytes destinationContent(const Endpoint& address, std::uint32_t weight = 1, const Bytes& more = {});

}  // namespace l4ward::ipvs
