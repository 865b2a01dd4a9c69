#include "ipvs/messages.h"

#include <gmock/gmock.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>

#include <cstring>
#include <map>

#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

using Attributes = std::map<int, Bytes>;

// A second reading of the format, independent of libnl.
Attributes attributes(ByteView bytes) {
  Attributes result;
  while (bytes.size() >= sizeof(nlattr)) {
    nlattr header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    const auto payload = bytes.subspan(sizeof header, header.nla_len - sizeof header);
    result[header.nla_type & NLA_TYPE_MASK] = {payload.begin(), payload.end()};
    bytes = bytes.subspan(std::min<std::size_t>(NLA_ALIGN(header.nla_len), bytes.size()));
  }
  EXPECT_TRUE(bytes.empty());
  return result;
}

struct Message {
  nlmsghdr header{};
  genlmsghdr command{};
  Attributes service;
  Attributes destination;
};

Message read(const Bytes& bytes) {
  Message message;
  std::memcpy(&message.header, bytes.data(), sizeof message.header);
  EXPECT_EQ(message.header.nlmsg_len, bytes.size());
  std::memcpy(&message.command, bytes.data() + NLMSG_HDRLEN, sizeof message.command);
  auto outer = attributes(ByteView(bytes).subspan(NLMSG_HDRLEN + GENL_HDRLEN));
  message.service = attributes(outer[IPVS_CMD_ATTR_SERVICE]);
  message.destination = attributes(outer[IPVS_CMD_ATTR_DEST]);
  return message;
}

template <typename What>
Message encoded(const ServiceKey& key, What what, bool acknowledge = false) {
  Bytes bytes;
  EXPECT_TRUE(appendRequest(bytes, {29, 7, acknowledge}, {key, what}));
  return read(bytes);
}

Bytes u32(std::uint32_t value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

const ServiceKey kWeb = tcp("198.51.100.1:80");
const ServiceKey kWeb6 = tcp("[2001:db8::1]:443");

TEST(Messages, Header) {
  const auto message = encoded(kWeb, DeleteService{});
  EXPECT_EQ(message.header.nlmsg_type, 29);
  EXPECT_EQ(message.header.nlmsg_seq, 7U);
  EXPECT_EQ(message.header.nlmsg_flags, NLM_F_REQUEST);
  EXPECT_EQ(message.command.cmd, IPVS_CMD_DEL_SERVICE);
  EXPECT_EQ(message.command.version, IPVS_GENL_VERSION);
  EXPECT_EQ(encoded(kWeb, DeleteService{}, true).header.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
}

TEST(Messages, ServiceIPv4) {
  auto message = encoded(kWeb, AddService{{"mh", kFlagMhPort | kFlagHashed, 60}});
  EXPECT_EQ(message.command.cmd, IPVS_CMD_NEW_SERVICE);
  EXPECT_THAT(message.service[IPVS_SVC_ATTR_AF], ElementsAre(2, 0));
  EXPECT_THAT(message.service[IPVS_SVC_ATTR_PROTOCOL], ElementsAre(6, 0));
  EXPECT_THAT(message.service[IPVS_SVC_ATTR_ADDR], ElementsAre(198, 51, 100, 1));
  EXPECT_THAT(message.service[IPVS_SVC_ATTR_PORT], ElementsAre(0, 80));
  EXPECT_THAT(message.service[IPVS_SVC_ATTR_SCHED_NAME], ElementsAre('m', 'h', 0));
  EXPECT_THAT(message.service[IPVS_SVC_ATTR_FLAGS],
              ElementsAre(kFlagMhPort, 0, 0, 0, 255, 255, 255, 255));
  EXPECT_EQ(message.service[IPVS_SVC_ATTR_TIMEOUT], u32(60));
  EXPECT_EQ(message.service[IPVS_SVC_ATTR_NETMASK], u32(0xffffffff));
  EXPECT_TRUE(message.destination.empty());
}

TEST(Messages, PersistenceAndItsEngine) {
  auto message = encoded(kWeb, AddService{{"rr", kFlagPersistent, 300, 22, "sip"}});
  EXPECT_EQ(message.service[IPVS_SVC_ATTR_TIMEOUT], u32(300));
  EXPECT_THAT(message.service[IPVS_SVC_ATTR_NETMASK], ElementsAre(255, 255, 252, 0));
  EXPECT_THAT(message.service[IPVS_SVC_ATTR_PE_NAME], ElementsAre('s', 'i', 'p', 0));
  auto each = encoded(kWeb6, EditService{{"rr", kFlagPersistent, 300, 64}});
  EXPECT_EQ(each.service[IPVS_SVC_ATTR_NETMASK], u32(64));
  EXPECT_FALSE(each.service.contains(IPVS_SVC_ATTR_PE_NAME)) << "its absence takes it away";
}

TEST(Messages, FirewallMark) {
  auto message =
      encoded(ServiceKey::ofMark(7, Family::v6), AddDestination{endpoint("[::1]:0"), {}});
  EXPECT_EQ(message.service.size(), 2U) << "the key only";
  EXPECT_THAT(message.service[IPVS_SVC_ATTR_AF], ElementsAre(10, 0));
  EXPECT_EQ(message.service[IPVS_SVC_ATTR_FWMARK], u32(7));
}

TEST(Messages, ServiceIPv6) {
  auto message = encoded(kWeb6, EditService{});
  EXPECT_EQ(message.command.cmd, IPVS_CMD_SET_SERVICE);
  EXPECT_THAT(message.service[IPVS_SVC_ATTR_AF], ElementsAre(10, 0));
  EXPECT_THAT(message.service[IPVS_SVC_ATTR_ADDR], ElementsAreArray(kWeb6.vip.address.bytes()));
  EXPECT_THAT(message.service[IPVS_SVC_ATTR_PORT], ElementsAre(1, 187));
  EXPECT_EQ(message.service[IPVS_SVC_ATTR_NETMASK], u32(128));
}

TEST(Messages, Destination) {
  const Path path{Forward::tunnel, {TunnelType::gue, 6080, kTunnelChecksum}};
  auto message = encoded(kWeb6, AddDestination{endpoint("192.0.2.1:80"), path, 3, {1000, 800}});
  EXPECT_EQ(message.command.cmd, IPVS_CMD_NEW_DEST);
  EXPECT_EQ(message.service.size(), 4U) << "the key only";
  auto& destination = message.destination;
  EXPECT_THAT(destination[IPVS_DEST_ATTR_ADDR], ElementsAre(192, 0, 2, 1));
  EXPECT_THAT(destination[IPVS_DEST_ATTR_ADDR_FAMILY], ElementsAre(2, 0));
  EXPECT_THAT(destination[IPVS_DEST_ATTR_PORT], ElementsAre(0, 80));
  EXPECT_EQ(destination[IPVS_DEST_ATTR_FWD_METHOD], u32(2));
  EXPECT_EQ(destination[IPVS_DEST_ATTR_WEIGHT], u32(3));
  EXPECT_EQ(destination[IPVS_DEST_ATTR_U_THRESH], u32(1000));
  EXPECT_EQ(destination[IPVS_DEST_ATTR_L_THRESH], u32(800));
  EXPECT_THAT(destination[IPVS_DEST_ATTR_TUN_TYPE], ElementsAre(1));
  EXPECT_THAT(destination[IPVS_DEST_ATTR_TUN_PORT], ElementsAre(6080 >> 8, 6080 & 255));
  EXPECT_THAT(destination[IPVS_DEST_ATTR_TUN_FLAGS], ElementsAre(1, 0));
}

TEST(Messages, DestinationsAreEditedWholeAndDeletedByKey) {
  auto edit = encoded(kWeb, EditDestination{endpoint("192.0.2.1:80"), kDirect, 0});
  EXPECT_EQ(edit.command.cmd, IPVS_CMD_SET_DEST);
  EXPECT_EQ(edit.destination[IPVS_DEST_ATTR_FWD_METHOD], u32(3));
  EXPECT_EQ(edit.destination[IPVS_DEST_ATTR_WEIGHT], u32(0));
  auto remove = encoded(kWeb, DeleteDestination{endpoint("192.0.2.1:80")});
  EXPECT_EQ(remove.command.cmd, IPVS_CMD_DEL_DEST);
  EXPECT_EQ(remove.destination.size(), 3U);
}

TEST(Messages, Dumps) {
  Bytes services;
  appendDumpServices(services, {29, 8});
  EXPECT_EQ(read(services).command.cmd, IPVS_CMD_GET_SERVICE);
  EXPECT_EQ(read(services).header.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
  Bytes destinations;
  appendDumpDestinations(destinations, {29, 8}, kWeb);
  EXPECT_EQ(read(destinations).command.cmd, IPVS_CMD_GET_DEST);
  EXPECT_EQ(read(destinations).service.size(), 4U);
}

TEST(Messages, LongNamesAreRefusedWithoutATrace) {
  Bytes bytes;
  const auto status = appendRequest(bytes, {29, 7}, {kWeb, AddService{{"sixteencharacter", 0, 0}}});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, EINVAL);
  EXPECT_TRUE(bytes.empty());
  const ServiceConfig engine{"rr", kFlagPersistent, 60, 32, "sixteencharacter"};
  EXPECT_FALSE(appendRequest(bytes, {29, 7}, {kWeb, EditService{engine}}));
  EXPECT_TRUE(bytes.empty());
  EXPECT_TRUE(appendRequest(bytes, {29, 7}, {kWeb, AddService{{"fifteencharacte", 0, 0}}}));
}

// Whatever comes in a row, the writer's bytes are those of each request by itself.
TEST(Messages, TheWriterWritesWhatSingleRequestsAre) {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    RandomTables random(seed);
    std::vector<Operation> operations;
    for (int i = 0; i < 20; ++i) {
      operations.push_back(random.operation());
      // Rows of the same kind, as plans have.
      for (unsigned n = random.below(4); n > 0; --n) {
        auto next = operations.back();
        if (auto* add = std::get_if<AddDestination>(&next.what)) {
          add->address = random.chance(0.8) ? server(1 + random.below(9)) : add->address;
          add->weight = random.below(9);
        }
        operations.push_back(next);
      }
    }
    Bytes expected;
    Bytes written;
    RequestWriter writer;
    std::uint32_t sequence = 100;
    for (const auto& operation : operations) {
      const RequestHeader header{29, ++sequence, random.chance(0.2)};
      ASSERT_TRUE(appendRequest(expected, header, operation));
      ASSERT_TRUE(writer.append(written, header, operation));
    }
    ASSERT_EQ(written, expected) << seed;
  }
}

TEST(Messages, RequestsStandBehindEachOtherAligned) {
  Bytes bytes;
  EXPECT_TRUE(appendRequest(bytes, {29, 1}, {kWeb, AddService{}}));
  const auto first = bytes.size();
  EXPECT_EQ(first % NLMSG_ALIGNTO, 0U);
  EXPECT_TRUE(appendRequest(bytes, {29, 2}, {kWeb, DeleteService{}}));
  EXPECT_EQ(read({bytes.begin() + static_cast<std::ptrdiff_t>(first), bytes.end()}).command.cmd,
            IPVS_CMD_DEL_SERVICE);
}

}  // namespace
}  // namespace l4ward::ipvs
