#include "ipvs/globals_messages.h"

#include <linux/genetlink.h>
#include <linux/ip_vs.h>

#include <cerrno>
#include <string>
#include <variant>

#include "ipvs/attributes.h"
#include "ipvs/request.h"

namespace l4ward::ipvs {
namespace {

void append(Bytes& out, const RequestHeader& header, const SetTimeouts& set) {
  Request request(header, IPVS_CMD_SET_CONFIG, 0);
  const auto put = [&](int type, const std::optional<std::uint32_t>& seconds) {
    if (seconds) request.u32(type, *seconds);
  };
  put(IPVS_CMD_ATTR_TIMEOUT_TCP, set.timeouts.tcp);
  put(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, set.timeouts.tcpFin);
  put(IPVS_CMD_ATTR_TIMEOUT_UDP, set.timeouts.udp);
  request.appendTo(out);
}

void append(Bytes& out, const RequestHeader& header, const StopDaemon& stop) {
  Request request(header, IPVS_CMD_DEL_DAEMON, 0);
  request.nest(IPVS_CMD_ATTR_DAEMON,
               [&] { request.u32(IPVS_DAEMON_ATTR_STATE, static_cast<std::uint32_t>(stop.role)); });
  request.appendTo(out);
}

// All numbers, also the port, are in the host's order.
void append(Bytes& out, const RequestHeader& header, const StartDaemon& start) {
  const auto& daemon = start.daemon;
  Request request(header, IPVS_CMD_NEW_DAEMON, 0);
  request.nest(IPVS_CMD_ATTR_DAEMON, [&] {
    request.u32(IPVS_DAEMON_ATTR_STATE, static_cast<std::uint32_t>(daemon.role));
    request.text(IPVS_DAEMON_ATTR_MCAST_IFN, daemon.interface);
    request.u32(IPVS_DAEMON_ATTR_SYNC_ID, daemon.id);
    if (daemon.group) {
      request.address(
          daemon.group->isV4() ? IPVS_DAEMON_ATTR_MCAST_GROUP : IPVS_DAEMON_ATTR_MCAST_GROUP6,
          *daemon.group);
    }
    if (daemon.port) request.u16(IPVS_DAEMON_ATTR_MCAST_PORT, *daemon.port);
    if (daemon.ttl) request.u8(IPVS_DAEMON_ATTR_MCAST_TTL, *daemon.ttl);
    if (daemon.maxLength) request.u16(IPVS_DAEMON_ATTR_SYNC_MAXLEN, *daemon.maxLength);
  });
  request.appendTo(out);
}

constexpr auto kCommandPolicy = [] {
  Policy<IPVS_CMD_ATTR_MAX> policy{};
  policy[IPVS_CMD_ATTR_TIMEOUT_TCP] = atLeast(4);
  policy[IPVS_CMD_ATTR_TIMEOUT_TCP_FIN] = atLeast(4);
  policy[IPVS_CMD_ATTR_TIMEOUT_UDP] = atLeast(4);
  return policy;
}();

constexpr auto kDaemonPolicy = [] {
  Policy<IPVS_DAEMON_ATTR_MAX> policy{};
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

Result<IpAddress> readGroup(const Attributes<IPVS_DAEMON_ATTR_MAX>& attributes) {
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
  return Timeouts{find<std::uint32_t>((*attributes)[IPVS_CMD_ATTR_TIMEOUT_TCP]),
                  find<std::uint32_t>((*attributes)[IPVS_CMD_ATTR_TIMEOUT_TCP_FIN]),
                  find<std::uint32_t>((*attributes)[IPVS_CMD_ATTR_TIMEOUT_UDP])};
}

Result<SyncDaemon> decodeDaemon(ByteView bytes) {
  const auto parsed = parseNested(bytes, kCommandPolicy, IPVS_CMD_ATTR_DAEMON, kDaemonPolicy);
  if (!parsed) return tl::unexpected(parsed.error());
  const auto& attributes = *parsed;
  const auto role = find<std::uint32_t>(attributes[IPVS_DAEMON_ATTR_STATE]);
  const auto id = find<std::uint32_t>(attributes[IPVS_DAEMON_ATTR_SYNC_ID]);
  const auto* name = attributes[IPVS_DAEMON_ATTR_MCAST_IFN];
  if (!name || !id || (role != IP_VS_STATE_MASTER && role != IP_VS_STATE_BACKUP)) {
    return fail("the kernel's answer about IPVS is no synchronisation daemon");
  }
  SyncDaemon daemon;
  daemon.role = static_cast<SyncRole>(*role);
  daemon.interface = readText(name);
  daemon.id = static_cast<std::uint8_t>(*id);  // messages have a byte for it
  daemon.port = find<std::uint16_t>(attributes[IPVS_DAEMON_ATTR_MCAST_PORT]);
  daemon.ttl = find<std::uint8_t>(attributes[IPVS_DAEMON_ATTR_MCAST_TTL]);
  daemon.maxLength = find<std::uint16_t>(attributes[IPVS_DAEMON_ATTR_SYNC_MAXLEN]);
  if (attributes[IPVS_DAEMON_ATTR_MCAST_GROUP] || attributes[IPVS_DAEMON_ATTR_MCAST_GROUP6]) {
    const auto group = readGroup(attributes);
    if (!group) return tl::unexpected(group.error());
    daemon.group = *group;
  }
  return daemon;
}

}  // namespace l4ward::ipvs
