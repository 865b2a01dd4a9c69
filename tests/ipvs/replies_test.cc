// Datagrams as the kernel sends them, then cut, bent and made up.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>

#include <cstring>
#include <random>

#include "ipvs/messages.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

template <typename T>
Bytes raw(const T& value) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(&value);
  return {begin, begin + sizeof value};
}

Bytes attribute(int type, const Bytes& payload) {
  auto bytes = raw(nlattr{static_cast<std::uint16_t>(sizeof(nlattr) + payload.size()),
                          static_cast<std::uint16_t>(type)});
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  bytes.resize(NLA_ALIGN(bytes.size()));
  return bytes;
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes message(int type, int flags, const Bytes& payload) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + payload.size());
  header.nlmsg_type = static_cast<std::uint16_t>(type);
  header.nlmsg_flags = static_cast<std::uint16_t>(flags);
  header.nlmsg_seq = 5;
  return raw(header) + payload;
}

Bytes text(const char* value) {
  return {value, value + std::strlen(value) + 1};
}

Bytes serviceAttributes() {
  const Bytes address{198, 51, 100, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  return attribute(IPVS_SVC_ATTR_AF, raw(std::uint16_t{AF_INET})) +
         attribute(IPVS_SVC_ATTR_PROTOCOL, raw(std::uint16_t{17})) +
         attribute(IPVS_SVC_ATTR_ADDR, address) + attribute(IPVS_SVC_ATTR_PORT, raw(htons(53))) +
         attribute(IPVS_SVC_ATTR_SCHED_NAME, text("mh")) +
         attribute(IPVS_SVC_ATTR_FLAGS, raw(ip_vs_flags{kFlagMhPort | kFlagHashed, 0xffffffff})) +
         attribute(IPVS_SVC_ATTR_TIMEOUT, raw(std::uint32_t{60})) + attribute(999, Bytes(5));
}

Bytes destinationAttributes(int family, const Bytes& address) {
  return attribute(IPVS_DEST_ATTR_ADDR, address) +
         attribute(IPVS_DEST_ATTR_ADDR_FAMILY, raw(static_cast<std::uint16_t>(family))) +
         attribute(IPVS_DEST_ATTR_PORT, raw(htons(53))) +
         attribute(IPVS_DEST_ATTR_FWD_METHOD, raw(std::uint32_t{2})) +
         attribute(IPVS_DEST_ATTR_TUN_TYPE, Bytes{1}) +
         attribute(IPVS_DEST_ATTR_TUN_PORT, raw(htons(6080))) +
         attribute(IPVS_DEST_ATTR_TUN_FLAGS, raw(std::uint16_t{2})) +
         attribute(IPVS_DEST_ATTR_WEIGHT, raw(std::uint32_t{4})) +
         attribute(IPVS_DEST_ATTR_U_THRESH, raw(std::uint32_t{9})) +
         attribute(IPVS_DEST_ATTR_L_THRESH, raw(std::uint32_t{8})) +
         attribute(IPVS_DEST_ATTR_ACTIVE_CONNS, raw(std::uint32_t{5})) +
         attribute(IPVS_DEST_ATTR_INACT_CONNS, raw(std::uint32_t{6}));
}

Bytes service(const Bytes& inner) {
  return attribute(IPVS_CMD_ATTR_SERVICE, inner);
}
Bytes destination(const Bytes& inner) {
  return attribute(IPVS_CMD_ATTR_DEST, inner);
}

Bytes errorMessage(int code, const char* explanation) {
  nlmsgerr error{};
  error.error = -code;
  error.msg.nlmsg_len = 120;  // the request, whose payload is left away
  return message(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS,
                 raw(error) + attribute(NLMSGERR_ATTR_MSG, text(explanation)));
}

TEST(Replies, Service) {
  const auto decoded = decodeService(service(serviceAttributes()));
  ASSERT_TRUE(decoded && *decoded);
  EXPECT_EQ((*decoded)->key, (ServiceKey{Protocol::udp, endpoint("198.51.100.1:53")}));
  EXPECT_EQ((*decoded)->config, (ServiceConfig{"mh", kFlagMhPort})) << "no persistence";
}

TEST(Replies, PersistentService) {
  const auto config = [](std::uint32_t mask) {
    const auto more = attribute(IPVS_SVC_ATTR_FLAGS,
                                raw(ip_vs_flags{kFlagPersistent | kFlagHashed, 0xffffffff})) +
                      attribute(IPVS_SVC_ATTR_NETMASK, raw(htonl(mask))) +
                      attribute(IPVS_SVC_ATTR_PE_NAME, text("sip"));
    return (*decodeService(service(serviceAttributes() + more)))->config;
  };
  EXPECT_EQ(config(0xffffff00), (ServiceConfig{"mh", kFlagPersistent, 60, 24, "sip"}));
  EXPECT_EQ(config(0xffffffff).granularity, ServiceConfig::kEachClient);
  EXPECT_EQ(config(0).granularity, 0);
  EXPECT_EQ(config(0xff00ff00).granularity, ServiceConfig::kNoPrefix);
}

TEST(Replies, ServiceOfAFirewallMark) {
  const auto bytes = attribute(IPVS_SVC_ATTR_AF, raw(std::uint16_t{AF_INET6})) +
                     attribute(IPVS_SVC_ATTR_FWMARK, raw(std::uint32_t{0x80000001})) +
                     attribute(IPVS_SVC_ATTR_SCHED_NAME, text("rr")) +
                     attribute(IPVS_SVC_ATTR_FLAGS, raw(ip_vs_flags{kFlagHashed, 0xffffffff}));
  const auto decoded = decodeService(service(bytes));
  ASSERT_TRUE(decoded && *decoded);
  EXPECT_EQ((*decoded)->key, ServiceKey::ofMark(0x80000001, Family::v6));
  const auto odd = attribute(IPVS_SVC_ATTR_AF, raw(std::uint16_t{7}));
  EXPECT_THAT(decodeService(service(bytes + odd)).error().message, HasSubstr("unknown family"));
}

TEST(Replies, ServicesWithoutAKeyAreLeftOut) {
  for (const auto protocol : {std::uint16_t{50}, std::uint16_t{0x0106}}) {  // ESP; no 8 bits
    const auto unknown = attribute(IPVS_SVC_ATTR_PROTOCOL, raw(protocol));
    const auto other =
        decodeService(service(serviceAttributes() + unknown));  // the last one counts
    ASSERT_TRUE(other);
    EXPECT_FALSE(*other);
  }
}

TEST(Replies, Destination) {
  const Path path{Forward::tunnel, {TunnelType::gue, 6080, kTunnelRemoteChecksum}};
  const Bytes v4{192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(decodeDestination(destination(destinationAttributes(AF_INET, v4)), Family::v6),
            (Destination{endpoint("192.0.2.1:53"), path, 4, 5, 6, {9, 8}}));
  const auto far = endpoint("[2001:db8::9]:53");
  const auto bytes = far.address.bytes();
  const Bytes v6(bytes.begin(), bytes.end());
  EXPECT_EQ(decodeDestination(destination(destinationAttributes(AF_INET6, v6)), Family::v4),
            (Destination{far, path, 4, 5, 6, {9, 8}}));
}

TEST(Replies, TunnelsOfOtherWaysAreZero) {
  const auto direct = attribute(IPVS_DEST_ATTR_FWD_METHOD, raw(std::uint32_t{3}));
  const auto bytes = destinationAttributes(AF_INET, {192, 0, 2, 1}) + direct;
  EXPECT_EQ(decodeDestination(destination(bytes), Family::v4)->path, kDirect);
}

TEST(Replies, MissingAttributesAreErrors) {
  EXPECT_THAT(decodeService(service({})).error().message, HasSubstr("lacks attribute"));
  EXPECT_THAT(decodeDestination(destination({}), Family::v4).error().message,
              HasSubstr("lacks attribute"));
  EXPECT_THAT(decodeService({}).error().message, HasSubstr("no content"));
  EXPECT_THAT(decodeService(destination({})).error().message, HasSubstr("no content"));
}

TEST(Replies, WrongLengthsAndFamiliesAreErrors) {
  const auto shortPort = attribute(IPVS_DEST_ATTR_PORT, Bytes{1});
  EXPECT_FALSE(decodeDestination(
      destination(destinationAttributes(AF_INET, {192, 0, 2, 1}) + shortPort), Family::v4));
  EXPECT_FALSE(
      decodeDestination(destination(destinationAttributes(AF_INET6, {192, 0, 2, 1})), Family::v4));
  EXPECT_FALSE(
      decodeDestination(destination(destinationAttributes(77, {192, 0, 2, 1})), Family::v4));
}

TEST(Replies, Kinds) {
  const auto datagram = message(29, NLM_F_DUMP_INTR, raw(genlmsghdr{1, 1, 0}) + Bytes(4)) +
                        message(NLMSG_DONE, 0, raw(std::int32_t{-ENOBUFS})) +
                        errorMessage(EINVAL, "no way") +
                        message(NLMSG_ERROR, NLM_F_CAPPED, raw(nlmsgerr{}));
  const auto replies = splitReplies(datagram);
  ASSERT_TRUE(replies) << replies.error().message;
  ASSERT_THAT(*replies, SizeIs(4));
  EXPECT_EQ((*replies)[0].kind, Reply::Kind::data);
  EXPECT_EQ((*replies)[0].sequence, 5U);
  EXPECT_TRUE((*replies)[0].interrupted);
  EXPECT_THAT((*replies)[0].attributes, SizeIs(4));
  EXPECT_EQ((*replies)[1].kind, Reply::Kind::done);
  EXPECT_EQ((*replies)[1].code, ENOBUFS);
  EXPECT_EQ((*replies)[2].kind, Reply::Kind::status);
  EXPECT_EQ((*replies)[2].code, EINVAL);
  EXPECT_EQ((*replies)[2].message, "no way");
  EXPECT_EQ((*replies)[3].code, 0);
  EXPECT_THAT((*replies)[3].message, IsEmpty());
}

TEST(Replies, ExplanationBehindAWholeRequest) {
  nlmsgerr error{};
  error.error = -EPERM;
  error.msg.nlmsg_len = sizeof(nlmsghdr) + 6;  // padded to 8
  const auto datagram =
      message(NLMSG_ERROR, NLM_F_ACK_TLVS,
              raw(error) + Bytes(8, 0xee) + attribute(NLMSGERR_ATTR_MSG, text("behind")));
  EXPECT_EQ((*splitReplies(datagram))[0].message, "behind");
}

TEST(Replies, NothingIsNothing) {
  EXPECT_THAT(*splitReplies({}), IsEmpty());
}

TEST(Replies, EveryCutIsAnErrorOrWhole) {
  const auto whole = errorMessage(EINVAL, "no way");
  for (std::size_t length = 1; length < whole.size(); ++length) {
    // A buffer of its own, so that the sanitizer sees a byte too far.
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(splitReplies(cut)) << length;
  }
}

// Any bytes give values or errors, and nothing is read behind the end.
TEST(Replies, BentBytes) {
  const auto data = message(29, 0,
                            raw(genlmsghdr{1, 1, 0}) + service(serviceAttributes()) +
                                destination(destinationAttributes(AF_INET, Bytes(16))));
  const auto whole = data + errorMessage(EINVAL, "no way");
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    Bytes bent = whole;
    for (unsigned n = 1 + random() % 4; n > 0; --n) {
      bent[random() % bent.size()] =
          static_cast<std::uint8_t>(random() % 4 ? random() % 32 : random());
    }
    bent.resize(bent.size() - random() % 3 * (random() % bent.size()) / 3);
    bent.shrink_to_fit();
    const auto replies = splitReplies(bent);
    if (!replies) continue;
    for (const auto& reply : *replies) {
      const Bytes copy(reply.attributes.begin(), reply.attributes.end());
      (void)decodeService(copy);
      (void)decodeDestination(copy, Family::v6);
    }
  }
}

}  // namespace
}  // namespace l4ward::ipvs
