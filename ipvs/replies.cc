// The half of messages.h that decodes. Lengths are checked before anything is read: by nlmsg_ok()
// for messages, by libnl's policies for attributes.
#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <bit>
#include <cstring>

#include "ipvs/attributes.h"
#include "ipvs/messages.h"

namespace l4ward::ipvs {
namespace {

constexpr auto kCommandPolicy = [] {
  Policy<IPVS_CMD_ATTR_MAX> policy{};
  policy[IPVS_CMD_ATTR_SERVICE] = {NLA_NESTED, 0, 0};
  policy[IPVS_CMD_ATTR_DEST] = {NLA_NESTED, 0, 0};
  return policy;
}();

constexpr auto kServicePolicy = [] {
  Policy<IPVS_SVC_ATTR_MAX> policy{};
  policy[IPVS_SVC_ATTR_AF] = atLeast(2);
  policy[IPVS_SVC_ATTR_PROTOCOL] = atLeast(2);
  policy[IPVS_SVC_ATTR_ADDR] = atLeast(4);
  policy[IPVS_SVC_ATTR_PORT] = atLeast(2);
  policy[IPVS_SVC_ATTR_SCHED_NAME] = atLeast(1);
  policy[IPVS_SVC_ATTR_FLAGS] = atLeast(sizeof(ip_vs_flags));
  policy[IPVS_SVC_ATTR_TIMEOUT] = atLeast(4);
  policy[IPVS_SVC_ATTR_FWMARK] = atLeast(4);
  policy[IPVS_SVC_ATTR_NETMASK] = atLeast(4);
  policy[IPVS_SVC_ATTR_PE_NAME] = atLeast(1);
  policy[IPVS_SVC_ATTR_STATS64] = {NLA_NESTED, 0, 0};
  return policy;
}();

constexpr auto kDestinationPolicy = [] {
  Policy<IPVS_DEST_ATTR_MAX> policy{};
  policy[IPVS_DEST_ATTR_ADDR] = atLeast(4);
  policy[IPVS_DEST_ATTR_PORT] = atLeast(2);
  policy[IPVS_DEST_ATTR_FWD_METHOD] = atLeast(4);
  policy[IPVS_DEST_ATTR_WEIGHT] = atLeast(4);
  policy[IPVS_DEST_ATTR_U_THRESH] = atLeast(4);
  policy[IPVS_DEST_ATTR_L_THRESH] = atLeast(4);
  policy[IPVS_DEST_ATTR_ACTIVE_CONNS] = atLeast(4);
  policy[IPVS_DEST_ATTR_INACT_CONNS] = atLeast(4);
  policy[IPVS_DEST_ATTR_STATS64] = {NLA_NESTED, 0, 0};
  policy[IPVS_DEST_ATTR_ADDR_FAMILY] = atLeast(2);
  policy[IPVS_DEST_ATTR_TUN_TYPE] = atLeast(1);
  policy[IPVS_DEST_ATTR_TUN_PORT] = atLeast(2);
  policy[IPVS_DEST_ATTR_TUN_FLAGS] = atLeast(2);
  return policy;
}();

constexpr auto kStatisticsPolicy = [] {
  Policy<IPVS_STATS_ATTR_MAX> policy{};
  for (const int type : {IPVS_STATS_ATTR_CONNS, IPVS_STATS_ATTR_INPKTS, IPVS_STATS_ATTR_OUTPKTS,
                         IPVS_STATS_ATTR_INBYTES, IPVS_STATS_ATTR_OUTBYTES}) {
    policy[static_cast<std::size_t>(type)] = atLeast(8);
  }
  return policy;
}();

constexpr auto kErrorPolicy = [] {
  Policy<NLMSGERR_ATTR_MAX> policy{};
  policy[NLMSGERR_ATTR_MSG] = atLeast(1);
  return policy;
}();

std::uint16_t readPort(const nlattr* attribute) {
  return ntohs(read<std::uint16_t>(attribute));
}

Result<IpAddress> readAddress(const nlattr* attribute, int family) {
  const auto bytes = payloadOf(attribute);  // the kernel sends 16 bytes for IPv4, too
  if (family == AF_INET) return IpAddress::fromBytes(bytes.first(4));
  if (family == AF_INET6 && bytes.size() >= 16) return IpAddress::fromBytes(bytes.first(16));
  return fail("the kernel's answer about IPVS has an address of an unknown family");
}

Tunnel readTunnel(const Attributes<IPVS_DEST_ATTR_MAX>& attributes) {
  return {static_cast<TunnelType>(read<std::uint8_t>(attributes[IPVS_DEST_ATTR_TUN_TYPE])),
          readPort(attributes[IPVS_DEST_ATTR_TUN_PORT]),
          read<std::uint16_t>(attributes[IPVS_DEST_ATTR_TUN_FLAGS])};
}

Result<Counters> readCounters(const nlattr* nested) {
  if (!nested) return Counters{};
  const auto parsed = parse(payloadOf(nested), kStatisticsPolicy);
  if (!parsed) return tl::unexpected(parsed.error());
  const auto number = [&](int type) {
    return read<std::uint64_t>((*parsed)[static_cast<std::size_t>(type)]);
  };
  return Counters{number(IPVS_STATS_ATTR_CONNS), number(IPVS_STATS_ATTR_INPKTS),
                  number(IPVS_STATS_ATTR_OUTPKTS), number(IPVS_STATS_ATTR_INBYTES),
                  number(IPVS_STATS_ATTR_OUTBYTES)};
}

tl::unexpected<Error> lacks(int type, const std::string& what) {
  return fail("the kernel's answer lacks attribute " + std::to_string(type) + " of an IPVS " +
              what);
}

// Nothing: of a protocol that l4ward does not know.
Result<std::optional<ServiceKey>> readKey(const Attributes<IPVS_SVC_ATTR_MAX>& attributes) {
  const int family = read<std::uint16_t>(attributes[IPVS_SVC_ATTR_AF]);
  if (const auto mark = read<std::uint32_t>(attributes[IPVS_SVC_ATTR_FWMARK]); mark != 0) {
    if (family != AF_INET && family != AF_INET6) {
      return fail("the kernel's answer about IPVS has a mark of an unknown family");
    }
    return ServiceKey::ofMark(mark, family == AF_INET ? Family::v4 : Family::v6);
  }
  for (const int type : {IPVS_SVC_ATTR_PROTOCOL, IPVS_SVC_ATTR_ADDR, IPVS_SVC_ATTR_PORT}) {
    if (!attributes[type]) return lacks(type, "service");
  }
  const auto number = read<std::uint16_t>(attributes[IPVS_SVC_ATTR_PROTOCOL]);
  const auto protocol = static_cast<Protocol>(number);
  if (number > 0xff || toString(protocol) == "unknown") return std::nullopt;
  const auto address = readAddress(attributes[IPVS_SVC_ATTR_ADDR], family);
  if (!address) return tl::unexpected(address.error());
  return ServiceKey{protocol, {*address, readPort(attributes[IPVS_SVC_ATTR_PORT])}};
}

// See netmask() in messages.cc.
std::uint8_t readGranularity(const nlattr* attribute, Family family) {
  const auto value = read<std::uint32_t>(attribute, 0xffffffff);
  if (family == Family::v6) {
    return value >= 128 ? ServiceConfig::kEachClient : static_cast<std::uint8_t>(value);
  }
  const auto mask = ntohl(value);
  const auto length = std::countl_one(mask);
  if (length == 32) return ServiceConfig::kEachClient;
  return mask << length == 0 ? static_cast<std::uint8_t>(length) : ServiceConfig::kNoPrefix;
}

std::string readExplanation(const nlmsghdr* header, std::size_t length) {
  if (!(header->nlmsg_flags & NLM_F_ACK_TLVS)) return {};
  // The request's header follows the code, and without NLM_F_CAPPED its payload, too.
  std::size_t skip = sizeof(nlmsgerr);
  if (!(header->nlmsg_flags & NLM_F_CAPPED)) {
    const auto* error = static_cast<const nlmsgerr*>(nlmsg_data(header));
    if (error->msg.nlmsg_len < sizeof(nlmsghdr)) return {};
    skip += NLMSG_ALIGN(error->msg.nlmsg_len - sizeof(nlmsghdr));
  }
  if (skip >= length) return {};
  const ByteView payload(static_cast<const std::uint8_t*>(nlmsg_data(header)), length);
  const auto attributes = parse(payload.subspan(skip), kErrorPolicy);
  if (!attributes || !(*attributes)[NLMSGERR_ATTR_MSG]) return {};
  return readText((*attributes)[NLMSGERR_ATTR_MSG]);
}

Result<Reply> toReply(const nlmsghdr* header) {
  const std::size_t length = header->nlmsg_len - NLMSG_HDRLEN;
  const auto* payload = static_cast<const std::uint8_t*>(nlmsg_data(header));
  const auto readCode = [&] {
    std::uint32_t code = 0;  // unsigned: the smallest number has no opposite
    if (length >= sizeof code) std::memcpy(&code, payload, sizeof code);
    return static_cast<int>(0 - code);
  };
  Reply reply;
  reply.sequence = header->nlmsg_seq;
  reply.interrupted = header->nlmsg_flags & NLM_F_DUMP_INTR;
  switch (header->nlmsg_type) {
    case NLMSG_DONE:
      reply.kind = Reply::Kind::done;
      reply.code = readCode();
      return reply;
    case NLMSG_ERROR:
      if (length < sizeof(nlmsgerr)) return fail("the kernel's answer is cut short");
      reply.kind = Reply::Kind::status;
      reply.code = readCode();
      if (reply.code != 0) reply.message = readExplanation(header, length);
      return reply;
    default:
      if (length < GENL_HDRLEN) return fail("the kernel's answer is cut short");
      reply.attributes = {payload + GENL_HDRLEN, length - GENL_HDRLEN};
      return reply;
  }
}

}  // namespace

Result<std::vector<Reply>> splitReplies(ByteView datagram) {
  std::vector<Reply> replies;
  const auto* header = reinterpret_cast<const nlmsghdr*>(datagram.data());
  int left = static_cast<int>(datagram.size());
  while (nlmsg_ok(header, left)) {
    auto reply = toReply(header);
    if (!reply) return tl::unexpected(reply.error());
    replies.push_back(*std::move(reply));
    header = nlmsg_next(const_cast<nlmsghdr*>(header), &left);
  }
  if (left > 0) return fail("the kernel's answer is cut short");
  return replies;
}

Result<std::optional<DumpedService>> decodeService(ByteView bytes) {
  const auto parsed = parseNested(bytes, kCommandPolicy, IPVS_CMD_ATTR_SERVICE, kServicePolicy);
  if (!parsed) return tl::unexpected(parsed.error());
  const auto& attributes = *parsed;
  for (const int type : {IPVS_SVC_ATTR_AF, IPVS_SVC_ATTR_SCHED_NAME, IPVS_SVC_ATTR_FLAGS}) {
    if (!attributes[type]) return lacks(type, "service");
  }
  const auto key = readKey(attributes);
  if (!key) return tl::unexpected(key.error());
  if (!*key) return std::nullopt;
  const auto counters = readCounters(attributes[IPVS_SVC_ATTR_STATS64]);
  if (!counters) return tl::unexpected(counters.error());
  DumpedService service{**key, {}, *counters};
  auto& config = service.config;
  config.scheduler = readText(attributes[IPVS_SVC_ATTR_SCHED_NAME]);
  config.flags = read<ip_vs_flags>(attributes[IPVS_SVC_ATTR_FLAGS]).flags & ~kFlagHashed;
  // What belongs to persistence means nothing without it; the kernel keeps whatever it was given.
  if (!(config.flags & kFlagPersistent)) return service;
  config.timeout = read<std::uint32_t>(attributes[IPVS_SVC_ATTR_TIMEOUT]);
  config.granularity = readGranularity(attributes[IPVS_SVC_ATTR_NETMASK], service.key.family());
  if (attributes[IPVS_SVC_ATTR_PE_NAME])
    config.engine = readText(attributes[IPVS_SVC_ATTR_PE_NAME]);
  return service;
}

Result<Destination> decodeDestination(ByteView bytes, Family service) {
  const auto parsed = parseNested(bytes, kCommandPolicy, IPVS_CMD_ATTR_DEST, kDestinationPolicy);
  if (!parsed) return tl::unexpected(parsed.error());
  const auto& attributes = *parsed;
  for (const int type : {IPVS_DEST_ATTR_ADDR, IPVS_DEST_ATTR_PORT, IPVS_DEST_ATTR_FWD_METHOD,
                         IPVS_DEST_ATTR_WEIGHT}) {
    if (!attributes[type]) return lacks(type, "destination");
  }
  const auto address = readAddress(attributes[IPVS_DEST_ATTR_ADDR],
                                   read<std::uint16_t>(attributes[IPVS_DEST_ATTR_ADDR_FAMILY],
                                                       service == Family::v4 ? AF_INET : AF_INET6));
  if (!address) return tl::unexpected(address.error());
  Destination destination;
  destination.address = {*address, readPort(attributes[IPVS_DEST_ATTR_PORT])};
  destination.path.forward = static_cast<Forward>(
      read<std::uint32_t>(attributes[IPVS_DEST_ATTR_FWD_METHOD]) & IP_VS_CONN_F_FWD_MASK);
  if (destination.path.forward == Forward::tunnel) destination.path.tunnel = readTunnel(attributes);
  destination.thresholds = {read<std::uint32_t>(attributes[IPVS_DEST_ATTR_U_THRESH]),
                            read<std::uint32_t>(attributes[IPVS_DEST_ATTR_L_THRESH])};
  destination.weight = read<std::uint32_t>(attributes[IPVS_DEST_ATTR_WEIGHT]);
  destination.activeConnections = read<std::uint32_t>(attributes[IPVS_DEST_ATTR_ACTIVE_CONNS]);
  destination.inactiveConnections = read<std::uint32_t>(attributes[IPVS_DEST_ATTR_INACT_CONNS]);
  return destination;
}

Result<std::pair<Endpoint, DestinationStatistics>> decodeDestinationStatistics(ByteView bytes,
                                                                               Family service) {
  const auto destination = decodeDestination(bytes, service);
  if (!destination) return tl::unexpected(destination.error());
  const auto parsed = parseNested(bytes, kCommandPolicy, IPVS_CMD_ATTR_DEST, kDestinationPolicy);
  if (!parsed) return tl::unexpected(parsed.error());
  const auto counters = readCounters((*parsed)[IPVS_DEST_ATTR_STATS64]);
  if (!counters) return tl::unexpected(counters.error());
  return std::pair(destination->address,
                   DestinationStatistics{*counters, destination->activeConnections,
                                         destination->inactiveConnections});
}

}  // namespace l4ward::ipvs
