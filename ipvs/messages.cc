#include "ipvs/messages.h"

#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>
#include <netlink/attr.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>
#include <variant>

#include "ipvs/request.h"

namespace l4ward::ipvs {
namespace {

constexpr std::uint32_t kAnyFlag = 0xffffffff;

int addressFamily(Family family) {
  return family == Family::v4 ? AF_INET : AF_INET6;
}

void putKey(Request& request, const ServiceKey& key) {
  request.u16(IPVS_SVC_ATTR_AF, static_cast<std::uint16_t>(addressFamily(key.family())));
  if (key.isMark()) {
    request.u32(IPVS_SVC_ATTR_FWMARK, key.mark);
    return;
  }
  request.u16(IPVS_SVC_ATTR_PROTOCOL, static_cast<std::uint16_t>(key.protocol));
  request.address(IPVS_SVC_ATTR_ADDR, key.vip.address);
  request.port(IPVS_SVC_ATTR_PORT, key.vip.port);
}

// A mask in network order for IPv4, a prefix length for IPv6.
std::uint32_t netmask(Family family, std::uint8_t granularity) {
  if (family == Family::v6) return std::min<std::uint32_t>(granularity, 128);
  return granularity >= 32 ? kAnyFlag : htonl(~(kAnyFlag >> granularity));
}

void putService(Request& request, const ServiceKey& key, const ServiceConfig* config = nullptr) {
  request.nest(IPVS_CMD_ATTR_SERVICE, [&] {
    putKey(request, key);
    if (!config) return;
    request.text(IPVS_SVC_ATTR_SCHED_NAME, config->scheduler);
    const ip_vs_flags flags{config->flags & ~kFlagHashed, kAnyFlag};
    request.put(IPVS_SVC_ATTR_FLAGS, &flags, sizeof flags);
    request.u32(IPVS_SVC_ATTR_TIMEOUT, config->timeout);
    request.u32(IPVS_SVC_ATTR_NETMASK, netmask(key.family(), config->granularity));
    if (!config->engine.empty()) request.text(IPVS_SVC_ATTR_PE_NAME, config->engine);
  });
}

void putDestinationKey(Request& request, const Endpoint& address) {
  request.address(IPVS_DEST_ATTR_ADDR, address.address);
  request.port(IPVS_DEST_ATTR_PORT, address.port);
  request.u16(IPVS_DEST_ATTR_ADDR_FAMILY,
              static_cast<std::uint16_t>(addressFamily(address.address.family())));
}

template <typename Change>
void putDestination(Request& request, const Change& change) {
  request.nest(IPVS_CMD_ATTR_DEST, [&] {
    putDestinationKey(request, change.address);
    request.u32(IPVS_DEST_ATTR_FWD_METHOD, static_cast<std::uint32_t>(change.path.forward));
    request.u32(IPVS_DEST_ATTR_WEIGHT, change.weight);
    request.u32(IPVS_DEST_ATTR_U_THRESH, change.thresholds.upper);
    request.u32(IPVS_DEST_ATTR_L_THRESH, change.thresholds.lower);
    request.u8(IPVS_DEST_ATTR_TUN_TYPE, static_cast<std::uint8_t>(change.path.tunnel.type));
    request.port(IPVS_DEST_ATTR_TUN_PORT, change.path.tunnel.port);
    request.u16(IPVS_DEST_ATTR_TUN_FLAGS, change.path.tunnel.flags);
  });
}

struct Encode {
  const RequestHeader& header;
  const ServiceKey& key;

  Request operator()(const AddService& add) const {
    return service(IPVS_CMD_NEW_SERVICE, &add.config);
  }
  Request operator()(const EditService& edit) const {
    return service(IPVS_CMD_SET_SERVICE, &edit.config);
  }
  Request operator()(const DeleteService&) const { return service(IPVS_CMD_DEL_SERVICE, nullptr); }
  Request operator()(const AddDestination& add) const {
    auto request = service(IPVS_CMD_NEW_DEST, nullptr);
    putDestination(request, add);
    return request;
  }
  Request operator()(const EditDestination& edit) const {
    auto request = service(IPVS_CMD_SET_DEST, nullptr);
    putDestination(request, edit);
    return request;
  }
  Request operator()(const DeleteDestination& remove) const {
    auto request = service(IPVS_CMD_DEL_DEST, nullptr);
    request.nest(IPVS_CMD_ATTR_DEST, [&] { putDestinationKey(request, remove.address); });
    return request;
  }

  Request service(int command, const ServiceConfig* config) const {
    Request request(header, command, 0);
    putService(request, key, config);
    return request;
  }
};

const ServiceConfig* configOf(const Operation& operation) {
  if (const auto* add = std::get_if<AddService>(&operation.what)) return &add->config;
  if (const auto* edit = std::get_if<EditService>(&operation.what)) return &edit->config;
  return nullptr;
}

}  // namespace

Status appendRequest(Bytes& out, const RequestHeader& header, const Operation& operation) {
  const auto* config = configOf(operation);
  for (const auto* name :
       {config ? &config->scheduler : nullptr, config ? &config->engine : nullptr}) {
    if (!name || name->size() < IP_VS_SCHEDNAME_MAXLEN) continue;
    return fail("'" + name->substr(0, 64) + "': the kernel's names have " +
                    std::to_string(IP_VS_SCHEDNAME_MAXLEN - 1) + " characters at most",
                EINVAL);
  }
  std::visit(Encode{header, operation.service}, operation.what).appendTo(out);
  return {};
}

namespace {

struct Changed {
  const Endpoint& address;
  const Path& path;
  const Thresholds& thresholds;
  std::uint32_t weight;
};

std::optional<Changed> changedDestination(const Operation& operation) {
  if (const auto* add = std::get_if<AddDestination>(&operation.what)) {
    return Changed{add->address, add->path, add->thresholds, add->weight};
  }
  if (const auto* edit = std::get_if<EditDestination>(&operation.what)) {
    return Changed{edit->address, edit->path, edit->thresholds, edit->weight};
  }
  return std::nullopt;
}

// Whether their requests have the same attributes, and differ in address, port and weight only.
bool isAlike(const Operation& a, const Operation& b) {
  if (a.what.index() != b.what.index() || a.service != b.service) return false;
  const auto left = changedDestination(a);
  const auto right = changedDestination(b);
  return left && right && left->path == right->path && left->thresholds == right->thresholds &&
         left->address.address.family() == right->address.address.family();
}

template <typename T>
void overwrite(std::uint8_t* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

}  // namespace

Status RequestWriter::append(Bytes& out, const RequestHeader& header, const Operation& operation) {
  const auto start = out.size();
  if (!last_ || !isAlike(*last_, operation)) {
    auto appended = appendRequest(out, header, operation);
    last_ = nullptr;
    if (appended) remember(out, start, operation);
    return appended;
  }
  const auto changed = *changedDestination(operation);
  out.resize(start + size_);
  auto* request = out.data() + start;
  std::memcpy(request, out.data() + start_, size_);
  const auto flags =
      static_cast<std::uint16_t>(NLM_F_REQUEST | (header.acknowledge ? NLM_F_ACK : 0));
  overwrite(request + offsetof(nlmsghdr, nlmsg_flags), flags);
  overwrite(request + offsetof(nlmsghdr, nlmsg_seq), header.sequence);
  const auto bytes = changed.address.address.bytes();
  std::copy(bytes.begin(), bytes.end(), request + address_);
  overwrite(request + port_, htons(changed.address.port));
  overwrite(request + weight_, changed.weight);
  last_ = &operation;
  start_ = start;
  return {};
}

// Finds the fields that will be overwritten.
void RequestWriter::remember(const Bytes& out, std::size_t start, const Operation& operation) {
  if (!changedDestination(operation)) return;
  const auto* request = out.data() + start;
  constexpr std::size_t kHeaders = NLMSG_HDRLEN + GENL_HDRLEN;
  const nlattr* destination =
      nla_find(reinterpret_cast<const nlattr*>(request + kHeaders),
               static_cast<int>(out.size() - start - kHeaders), IPVS_CMD_ATTR_DEST);
  if (!destination) return;
  const auto offset = [&](int type) {
    const auto* attribute =
        nla_find(static_cast<const nlattr*>(nla_data(destination)), nla_len(destination), type);
    return static_cast<std::size_t>(static_cast<const std::uint8_t*>(nla_data(attribute)) -
                                    request);
  };
  address_ = offset(IPVS_DEST_ATTR_ADDR);
  port_ = offset(IPVS_DEST_ATTR_PORT);
  weight_ = offset(IPVS_DEST_ATTR_WEIGHT);
  start_ = start;
  size_ = out.size() - start;
  last_ = &operation;
}

void appendDumpServices(Bytes& out, const RequestHeader& header) {
  Request(header, IPVS_CMD_GET_SERVICE, NLM_F_DUMP).appendTo(out);
}

void appendGetService(Bytes& out, const RequestHeader& header, const ServiceKey& service) {
  Request request(header, IPVS_CMD_GET_SERVICE, 0);
  putService(request, service);
  request.appendTo(out);
}

void appendDumpDestinations(Bytes& out, const RequestHeader& header, const ServiceKey& service) {
  Request request(header, IPVS_CMD_GET_DEST, NLM_F_DUMP);
  putService(request, service);
  request.appendTo(out);
}

}  // namespace l4ward::ipvs
