#include "ipvs/messages.h"

#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <variant>

namespace l4ward::ipvs {
namespace {

constexpr std::size_t kMaxRequest = 512;  // the longest is about 250 bytes
constexpr std::uint32_t kAnyFlag = 0xffffffff;

int addressFamily(Family family) {
  return family == Family::v4 ? AF_INET : AF_INET6;
}

// One request under construction. Attributes always fit (kMaxRequest), so failing to add one is a
// mistake in this file.
class Request {
 public:
  Request(const RequestHeader& header, int command, int flags)
      : message_(nlmsg_alloc_size(kMaxRequest), nlmsg_free) {
    if (header.acknowledge) flags |= NLM_F_ACK;
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
    check(nla_put(message_.get(), type, static_cast<int>(bytes.size()), bytes.data()) == 0);
  }
  void flags(int type, std::uint32_t value) {
    const ip_vs_flags both{value, kAnyFlag};
    check(nla_put(message_.get(), type, sizeof both, &both) == 0);
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

void putKey(Request& request, const ServiceKey& key) {
  request.u16(IPVS_SVC_ATTR_AF,
              static_cast<std::uint16_t>(addressFamily(key.vip.address.family())));
  request.u16(IPVS_SVC_ATTR_PROTOCOL, static_cast<std::uint16_t>(key.protocol));
  request.address(IPVS_SVC_ATTR_ADDR, key.vip.address);
  request.port(IPVS_SVC_ATTR_PORT, key.vip.port);
}

void putService(Request& request, const ServiceKey& key, const ServiceConfig* config = nullptr) {
  request.nest(IPVS_CMD_ATTR_SERVICE, [&] {
    putKey(request, key);
    if (!config) return;
    request.text(IPVS_SVC_ATTR_SCHED_NAME, config->scheduler);
    request.flags(IPVS_SVC_ATTR_FLAGS, config->flags & ~kFlagHashed);
    request.u32(IPVS_SVC_ATTR_TIMEOUT, config->timeout);
    // Persistence groups clients by it: a mask in network order for IPv4, a prefix length for IPv6.
    request.u32(IPVS_SVC_ATTR_NETMASK, key.vip.address.isV4() ? 0xffffffff : 128);
  });
}

void putDestinationKey(Request& request, const Endpoint& address) {
  request.address(IPVS_DEST_ATTR_ADDR, address.address);
  request.port(IPVS_DEST_ATTR_PORT, address.port);
  request.u16(IPVS_DEST_ATTR_ADDR_FAMILY,
              static_cast<std::uint16_t>(addressFamily(address.address.family())));
}

void putDestination(Request& request, const Endpoint& address, const Path& path,
                    std::uint32_t weight) {
  request.nest(IPVS_CMD_ATTR_DEST, [&] {
    putDestinationKey(request, address);
    request.u32(IPVS_DEST_ATTR_FWD_METHOD, static_cast<std::uint32_t>(path.forward));
    request.u32(IPVS_DEST_ATTR_WEIGHT, weight);
    request.u32(IPVS_DEST_ATTR_U_THRESH, 0);
    request.u32(IPVS_DEST_ATTR_L_THRESH, 0);
    request.u8(IPVS_DEST_ATTR_TUN_TYPE, static_cast<std::uint8_t>(path.tunnel.type));
    request.port(IPVS_DEST_ATTR_TUN_PORT, path.tunnel.port);
    request.u16(IPVS_DEST_ATTR_TUN_FLAGS, path.tunnel.flags);
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
    putDestination(request, add.address, add.path, add.weight);
    return request;
  }
  Request operator()(const EditDestination& edit) const {
    auto request = service(IPVS_CMD_SET_DEST, nullptr);
    putDestination(request, edit.address, edit.path, edit.weight);
    return request;
  }
  Request operator()(const DeleteDestination& remove) const {
    auto request = service(IPVS_CMD_DEL_DEST, nullptr);
    request.nest(IPVS_CMD_ATTR_DEST, [&] { putDestinationKey(request, remove.address); });
    return request;
  }

  Request service(int command, const ServiceConfig* config) const {
    Request request(header, command, NLM_F_REQUEST);
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
  if (config && config->scheduler.size() >= IP_VS_SCHEDNAME_MAXLEN) {
    return fail("scheduler '" + config->scheduler.substr(0, 64) + "': the kernel's names have " +
                    std::to_string(IP_VS_SCHEDNAME_MAXLEN - 1) + " characters at most",
                EINVAL);
  }
  std::visit(Encode{header, operation.service}, operation.what).appendTo(out);
  return {};
}

void appendDumpServices(Bytes& out, const RequestHeader& header) {
  Request(header, IPVS_CMD_GET_SERVICE, NLM_F_REQUEST | NLM_F_DUMP).appendTo(out);
}

void appendDumpDestinations(Bytes& out, const RequestHeader& header, const ServiceKey& service) {
  Request request(header, IPVS_CMD_GET_DEST, NLM_F_REQUEST | NLM_F_DUMP);
  putService(request, service);
  request.appendTo(out);
}

}  // namespace l4ward::ipvs
