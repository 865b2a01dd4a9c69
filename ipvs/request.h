// One request to the kernel's IPVS under construction.
#pragma once

#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include "base/ip.h"
#include "ipvs/messages.h"

namespace l4ward::ipvs {

// Attributes always fit (kMaxRequest), so failing to add one is a mistake of the caller.
class Request {
 public:
  Request(const RequestHeader& header, int command, int flags)
      : message_(nlmsg_alloc_size(kMaxRequest), nlmsg_free) {
    flags |= NLM_F_REQUEST | (header.acknowledge ? NLM_F_ACK : 0);
    if (!message_ || !genlmsg_put(message_.get(), NL_AUTO_PORT, header.sequence, header.family, 0,
                                  flags, static_cast<std::uint8_t>(command), IPVS_GENL_VERSION)) {
      throw std::bad_alloc();
    }
  }

  template <typename Fill>
  void nest(int type, Fill fill) {
    nlattr* start = nla_nest_start(message_.get(), type);
    check(start != nullptr);
    fill();
    nla_nest_end(message_.get(), start);
  }
  void u8(int type, std::uint8_t value) { check(nla_put_u8(message_.get(), type, value) == 0); }
  void u16(int type, std::uint16_t value) { check(nla_put_u16(message_.get(), type, value) == 0); }
  void u32(int type, std::uint32_t value) { check(nla_put_u32(message_.get(), type, value) == 0); }
  void port(int type, std::uint16_t value) { u16(type, htons(value)); }
  void text(int type, const std::string& value) {
    check(nla_put_string(message_.get(), type, value.c_str()) == 0);
  }
  void address(int type, const IpAddress& value) {
    const auto bytes = value.bytes();
    put(type, bytes.data(), bytes.size());
  }
  void put(int type, const void* bytes, std::size_t size) {
    check(nla_put(message_.get(), type, static_cast<int>(size), bytes) == 0);
  }

  void appendTo(Bytes& out) const {
    const nlmsghdr* header = nlmsg_hdr(message_.get());
    const auto* begin = reinterpret_cast<const std::uint8_t*>(header);
    out.insert(out.end(), begin, begin + header->nlmsg_len);
    out.resize(NLMSG_ALIGN(out.size()));
  }

 private:
  static constexpr std::size_t kMaxRequest = 512;  // the longest is about 250 bytes

  static void check(bool fits) {
    if (!fits) throw std::logic_error("an IPVS request is longer than kMaxRequest");
  }
  std::unique_ptr<nl_msg, decltype(&nlmsg_free)> message_;
};

}  // namespace l4ward::ipvs
