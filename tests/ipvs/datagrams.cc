#include "tests/ipvs/datagrams.h"

#include <arpa/inet.h>
#include <linux/genetlink.h>

namespace l4ward::ipvs {
namespace {

Bytes addressBytes(const IpAddress& address) {
  const auto bytes = address.bytes();
  Bytes padded(bytes.begin(), bytes.end());
  padded.resize(16);
  return padded;
}

Bytes family(const IpAddress& address) {
  return raw(static_cast<std::uint16_t>(address.isV4() ? AF_INET : AF_INET6));
}

}  // namespace

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes text(const std::string& value) {
  Bytes bytes(value.begin(), value.end());
  bytes.push_back(0);
  return bytes;
}

Bytes attribute(int type, const Bytes& payload) {
  auto bytes = raw(nlattr{static_cast<std::uint16_t>(sizeof(nlattr) + payload.size()),
                          static_cast<std::uint16_t>(type)}) +
               payload;
  bytes.resize(NLA_ALIGN(bytes.size()));
  return bytes;
}

Bytes message(int type, int flags, std::uint32_t sequence, const Bytes& payload) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + payload.size());
  header.nlmsg_type = static_cast<std::uint16_t>(type);
  header.nlmsg_flags = static_cast<std::uint16_t>(flags);
  header.nlmsg_seq = sequence;
  return raw(header) + payload;
}

Bytes data(std::uint32_t sequence, int command, const Bytes& attributes, int flags) {
  return message(
      kFamilyNumber, flags, sequence,
      raw(genlmsghdr{static_cast<std::uint8_t>(command), IPVS_GENL_VERSION, 0}) + attributes);
}

Bytes status(std::uint32_t sequence, int code, const std::string& explanation) {
  nlmsgerr error{};
  error.error = -code;
  error.msg.nlmsg_len = 120;  // of the request, whose payload is left away
  error.msg.nlmsg_seq = sequence;
  if (explanation.empty()) return message(NLMSG_ERROR, NLM_F_CAPPED, sequence, raw(error));
  return message(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, sequence,
                 raw(error) + attribute(NLMSGERR_ATTR_MSG, text(explanation)));
}

Bytes done(std::uint32_t sequence, int flags, int code) {
  return message(NLMSG_DONE, flags, sequence, raw(std::int32_t{-code}));
}

Bytes serviceContent(const ServiceKey& key, const ServiceConfig& config, const Bytes& more) {
  return attribute(
      IPVS_CMD_ATTR_SERVICE,
      attribute(IPVS_SVC_ATTR_AF, family(key.vip.address)) +
          attribute(IPVS_SVC_ATTR_PROTOCOL, raw(static_cast<std::uint16_t>(key.protocol))) +
          attribute(IPVS_SVC_ATTR_ADDR, addressBytes(key.vip.address)) +
          attribute(IPVS_SVC_ATTR_PORT, raw(htons(key.vip.port))) +
          attribute(IPVS_SVC_ATTR_SCHED_NAME, text(config.scheduler)) +
          attribute(IPVS_SVC_ATTR_FLAGS, raw(ip_vs_flags{config.flags | kFlagHashed, ~0U})) +
          attribute(IPVS_SVC_ATTR_TIMEOUT, raw(config.timeout)) +
          attribute(IPVS_SVC_ATTR_NETMASK, raw(key.vip.address.isV4() ? ~0U : 128U)) + more);
}

Bytes destinationContent(const Endpoint& address, std::uint32_t weight, const Bytes& more) {
  return attribute(
      IPVS_CMD_ATTR_DEST,
      attribute(IPVS_DEST_ATTR_ADDR, addressBytes(address.address)) +
          attribute(IPVS_DEST_ATTR_PORT, raw(htons(address.port))) +
          attribute(IPVS_DEST_ATTR_FWD_METHOD, raw(std::uint32_t{IP_VS_CONN_F_TUNNEL})) +
          attribute(IPVS_DEST_ATTR_WEIGHT, raw(weight)) +
          attribute(IPVS_DEST_ATTR_U_THRESH, raw(std::uint32_t{0})) +
          attribute(IPVS_DEST_ATTR_L_THRESH, raw(std::uint32_t{0})) +
          attribute(IPVS_DEST_ATTR_ACTIVE_CONNS, raw(std::uint32_t{0})) +
          attribute(IPVS_DEST_ATTR_INACT_CONNS, raw(std::uint32_t{0})) +
          attribute(IPVS_DEST_ATTR_ADDR_FAMILY, family(address.address)) +
          attribute(IPVS_DEST_ATTR_TUN_TYPE, Bytes{0}) +
          attribute(IPVS_DEST_ATTR_TUN_PORT, Bytes{0, 0}) +
          attribute(IPVS_DEST_ATTR_TUN_FLAGS, Bytes{0, 0}) + more);
}

}  // namespace l4ward::ipvs
