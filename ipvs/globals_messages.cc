#include "ipvs/globals_messages.h"

#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <variant>

namespace l4ward::ipvs {
namespace {

constexpr std::size_t kMaxRequest = 256;  // the longest is about 120 bytes

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

  template <typename T>
  void number(int type, T value) {
    put(type, &value, sizeof value);
  }
  void put(int type, const void* bytes, std::size_t size) {
    check(nla_put(message_.get(), type, static_cast<int>(size), bytes) == 0);
  }
  template <typename Fill>
  void nest(int type, Fill fill) {
    nlattr* start = nla_nest_start(message_.get(), type);
    check(start != nullptr);
    fill();
    nla_nest_end(message_.get(), start);
  }
  void appendTo(Bytes& out) const {
    const nlmsghdr* header = nlmsg_hdr(message_.get());
    const auto* begin = reinterpret_cast<const std::uint8_t*>(header);
    out.insert(out.end(), begin, begin + header->nlmsg_len);
    out.resize(NLMSG_ALIGN(out.size()));
  }

 private:
  static void check(bool fits) {
    if (!fits) throw std::logic_error("an IPVS request is longer than kMaxRequest");
  }
  std::unique_ptr<nl_msg, decltype(&nlmsg_free)> message_;
};

void append(Bytes& out, const RequestHeader& header, const SetTimeouts& set) {
  Request request(header, IPVS_CMD_SET_CONFIG, 0);
  const auto put = [&](int type, const std::optional<std::uint32_t>& seconds) {
    if (seconds) request.number(type, *seconds);
  };
  put(IPVS_CMD_ATTR_TIMEOUT_TCP, set.timeouts.tcp);
  put(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, set.timeouts.tcpFin);
  put(IPVS_CMD_ATTR_TIMEOUT_UDP, set.timeouts.udp);
  request.appendTo(out);
}

void append(Bytes& out, const RequestHeader& header, const StopDaemon& stop) {
  Request request(header, IPVS_CMD_DEL_DAEMON, 0);
  request.nest(IPVS_CMD_ATTR_DAEMON, [&] {
    request.number(IPVS_DAEMON_ATTR_STATE, static_cast<std::uint32_t>(stop.role));
  });
  request.appendTo(out);
}

// All numbers, also the port, are in the host's order.
void append(Bytes& out, const RequestHeader& header, const StartDaemon& start) {
  const auto& daemon = start.daemon;
  Request request(header, IPVS_CMD_NEW_DAEMON, 0);
  request.nest(IPVS_CMD_ATTR_DAEMON, [&] {
    request.number(IPVS_DAEMON_ATTR_STATE, static_cast<std::uint32_t>(daemon.role));
    request.put(IPVS_DAEMON_ATTR_MCAST_IFN, daemon.interface.c_str(), daemon.interface.size() + 1);
    request.number(IPVS_DAEMON_ATTR_SYNC_ID, std::uint32_t{daemon.id});
    if (daemon.group) {
      const auto bytes = daemon.group->bytes();
      request.put(
          daemon.group->isV4() ? IPVS_DAEMON_ATTR_MCAST_GROUP : IPVS_DAEMON_ATTR_MCAST_GROUP6,
          bytes.data(), bytes.size());
    }
    if (daemon.port) request.number(IPVS_DAEMON_ATTR_MCAST_PORT, *daemon.port);
    if (daemon.ttl) request.number(IPVS_DAEMON_ATTR_MCAST_TTL, *daemon.ttl);
    if (daemon.maxLength) request.number(IPVS_DAEMON_ATTR_SYNC_MAXLEN, *daemon.maxLength);
  });
  request.appendTo(out);
}

template <std::size_t kSize>
using Attributes = std::array<nlattr*, kSize>;

constexpr nla_policy atLeast(std::uint16_t length) {
  return {NLA_UNSPEC, length, 0};
}

constexpr auto kCommandPolicy = [] {
  std::array<nla_policy, IPVS_CMD_ATTR_MAX + 1> policy{};
  policy[IPVS_CMD_ATTR_TIMEOUT_TCP] = atLeast(4);
  policy[IPVS_CMD_ATTR_TIMEOUT_TCP_FIN] = atLeast(4);
  policy[IPVS_CMD_ATTR_TIMEOUT_UDP] = atLeast(4);
  return policy;
}();

constexpr auto kDaemonPolicy = [] {
  std::array<nla_policy, IPVS_DAEMON_ATTR_MAX + 1> policy{};
  policy[IPVS_DAEMON_ATTR_STATE] = atLeast(4);
  policy[IPVS_DAEMON_ATTR_MCAST_IFN] = atLeast(1);
  policy[IPVS_DAEMON_ATTR_SYNC_ID] = atLeast(4);
  policy[IPVS_DAEMON_ATTR_SYNC_MAXLEN] = atLeast(2);
  policy[IPVS_DAEMON_ATTR_MCAST_GROUP] = atLeast(4);
  policy[IPVS_DAEMON_ATTR_MCAST_GROUP6] = atLeast(16);
  policy[IPVS_DAEMON_ATTR_MCAST_PORT] = atLeast(2);
  policy[IPVS_DAEMON_ATTR_MCAST_TTL] = atLeast(1);
  return policy;
}();

template <std::size_t kSize>
Result<Attributes<kSize>> parse(ByteView bytes, const std::array<nla_policy, kSize>& policy) {
  Attributes<kSize> attributes{};
  if (bytes.empty()) return attributes;
  // libnl's arguments are not const, but it only reads.
  auto* head = reinterpret_cast<nlattr*>(const_cast<std::uint8_t*>(bytes.data()));
  if (nla_parse(attributes.data(), static_cast<int>(kSize) - 1, head,
                static_cast<int>(bytes.size()), const_cast<nla_policy*>(policy.data())) < 0) {
    return fail("the kernel's answer about IPVS has an attribute of the wrong length");
  }
  return attributes;
}

ByteView payloadOf(const nlattr* attribute) {
  return {static_cast<const std::uint8_t*>(nla_data(attribute)),
          static_cast<std::size_t>(nla_len(attribute))};
}

template <typename T>
std::optional<T> read(const nlattr* attribute) {
  if (!attribute) return std::nullopt;
  T value{};
  std::memcpy(&value, nla_data(attribute), sizeof value);
  return value;
}

Result<IpAddress> readGroup(const Attributes<IPVS_DAEMON_ATTR_MAX + 1>& attributes) {
  if (const auto* v6 = attributes[IPVS_DAEMON_ATTR_MCAST_GROUP6]) {
    return IpAddress::fromBytes(payloadOf(v6).first(16));
  }
  return IpAddress::fromBytes(payloadOf(attributes[IPVS_DAEMON_ATTR_MCAST_GROUP]).first(4));
}

}  // namespace

Status appendRequest(Bytes& out, const RequestHeader& header, const GlobalsOperation& operation) {
  if (const auto* start = std::get_if<StartDaemon>(&operation.what)) {
    const auto& name = start->daemon.interface;
    if (name.empty() || name.size() >= IP_VS_IFNAME_MAXLEN || name.find('\0') != name.npos) {
      return fail("interface '" + name.substr(0, 64) + "': names have 1 to " +
                      std::to_string(IP_VS_IFNAME_MAXLEN - 1) + " characters",
                  EINVAL);
    }
  }
  std::visit([&](const auto& what) { append(out, header, what); }, operation.what);
  return {};
}

void appendGetTimeouts(Bytes& out, const RequestHeader& header) {
  Request(header, IPVS_CMD_GET_CONFIG, 0).appendTo(out);
}

void appendDumpDaemons(Bytes& out, const RequestHeader& header) {
  Request(header, IPVS_CMD_GET_DAEMON, NLM_F_DUMP).appendTo(out);
}

Result<Timeouts> decodeTimeouts(ByteView bytes) {
  const auto attributes = parse(bytes, kCommandPolicy);
  if (!attributes) return tl::unexpected(attributes.error());
  return Timeouts{read<std::uint32_t>((*attributes)[IPVS_CMD_ATTR_TIMEOUT_TCP]),
                  read<std::uint32_t>((*attributes)[IPVS_CMD_ATTR_TIMEOUT_TCP_FIN]),
                  read<std::uint32_t>((*attributes)[IPVS_CMD_ATTR_TIMEOUT_UDP])};
}

Result<SyncDaemon> decodeDaemon(ByteView bytes) {
  const auto outer = parse(bytes, kCommandPolicy);
  if (!outer) return tl::unexpected(outer.error());
  if (!(*outer)[IPVS_CMD_ATTR_DAEMON]) return fail("the kernel's answer about IPVS has no content");
  const auto parsed = parse(payloadOf((*outer)[IPVS_CMD_ATTR_DAEMON]), kDaemonPolicy);
  if (!parsed) return tl::unexpected(parsed.error());
  const auto& attributes = *parsed;
  const auto role = read<std::uint32_t>(attributes[IPVS_DAEMON_ATTR_STATE]);
  const auto id = read<std::uint32_t>(attributes[IPVS_DAEMON_ATTR_SYNC_ID]);
  const auto* name = attributes[IPVS_DAEMON_ATTR_MCAST_IFN];
  if (!name || !id || (role != IP_VS_STATE_MASTER && role != IP_VS_STATE_BACKUP)) {
    return fail("the kernel's answer about IPVS is no synchronisation daemon");
  }
  SyncDaemon daemon;
  daemon.role = static_cast<SyncRole>(*role);
  const auto* text = static_cast<const char*>(nla_data(name));
  daemon.interface.assign(text, strnlen(text, static_cast<std::size_t>(nla_len(name))));
  daemon.id = static_cast<std::uint8_t>(*id);  // messages have a byte for it
  daemon.port = read<std::uint16_t>(attributes[IPVS_DAEMON_ATTR_MCAST_PORT]);
  daemon.ttl = read<std::uint8_t>(attributes[IPVS_DAEMON_ATTR_MCAST_TTL]);
  daemon.maxLength = read<std::uint16_t>(attributes[IPVS_DAEMON_ATTR_SYNC_MAXLEN]);
  if (attributes[IPVS_DAEMON_ATTR_MCAST_GROUP] || attributes[IPVS_DAEMON_ATTR_MCAST_GROUP6]) {
    const auto group = readGroup(attributes);
    if (!group) return tl::unexpected(group.error());
    daemon.group = *group;
  }
  return daemon;
}

}  // namespace l4ward::ipvs
