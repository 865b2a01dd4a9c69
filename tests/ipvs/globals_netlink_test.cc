// Requests and answers about timeouts and daemons; with a kernel of the test's own.
#include "ipvs/globals_netlink.h"

#include <gmock/gmock.h>
#include <linux/ip_vs.h>

#include <cerrno>

#include "ipvs/globals_messages.h"
#include "tests/ipvs/scripted_channel.h"

namespace l4ward::ipvs {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using Answers = std::deque<ScriptedAnswer>;
using Requests = std::vector<ScriptedRequest>;

Bytes u32(std::uint32_t value) {
  return raw(value);
}

const Bytes kTimeouts = attribute(IPVS_CMD_ATTR_TIMEOUT_TCP, u32(900)) +
                        attribute(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, u32(120)) +
                        attribute(IPVS_CMD_ATTR_TIMEOUT_UDP, u32(300));

// What a daemon has in a dump of the kernel's.
Bytes daemonContent(std::uint32_t role, const Bytes& more = {}) {
  return attribute(IPVS_CMD_ATTR_DAEMON,
                   attribute(IPVS_DAEMON_ATTR_STATE, u32(role)) +
                       attribute(IPVS_DAEMON_ATTR_MCAST_IFN, text("eth0")) +
                       attribute(IPVS_DAEMON_ATTR_SYNC_ID, u32(7)) +
                       attribute(IPVS_DAEMON_ATTR_SYNC_MAXLEN, raw(std::uint16_t{1472})) +
                       attribute(IPVS_DAEMON_ATTR_MCAST_PORT, raw(std::uint16_t{8848})) +
                       attribute(IPVS_DAEMON_ATTR_MCAST_TTL, Bytes{1}) +
                       attribute(IPVS_DAEMON_ATTR_MCAST_GROUP, Bytes{224, 0, 0, 81}) + more);
}

const SyncDaemon kMaster{
    SyncRole::master, "eth0", 7, IpAddress::parse("224.0.0.81").value(), 8848, 1, 1472};

constexpr int kRequestDaemon = IPVS_CMD_ATTR_DAEMON | NLA_F_NESTED;  // the kernel sets no flag

Bytes encoded(const GlobalsOperation& operation) {
  Bytes bytes;
  EXPECT_TRUE(appendRequest(bytes, {kFamilyNumber, 5, true}, operation));
  return bytes;
}

Bytes request(int command, const Bytes& attributes) {
  return data(5, command, attributes, NLM_F_REQUEST | NLM_F_ACK);
}

TEST(GlobalsMessages, TimeoutsThatAreSetAreSent) {
  EXPECT_EQ(encoded({SetTimeouts{{900, 120, 300}}}), request(IPVS_CMD_SET_CONFIG, kTimeouts));
  EXPECT_EQ(encoded({SetTimeouts{{{}, {}, 300}}}),
            request(IPVS_CMD_SET_CONFIG, attribute(IPVS_CMD_ATTR_TIMEOUT_UDP, u32(300))));
}

TEST(GlobalsMessages, Daemons) {
  EXPECT_EQ(encoded({StopDaemon{SyncRole::backup}}),
            request(IPVS_CMD_DEL_DAEMON,
                    attribute(kRequestDaemon, attribute(IPVS_DAEMON_ATTR_STATE, u32(2)))));
  const auto least = attribute(IPVS_DAEMON_ATTR_STATE, u32(1)) +
                     attribute(IPVS_DAEMON_ATTR_MCAST_IFN, text("eth0")) +
                     attribute(IPVS_DAEMON_ATTR_SYNC_ID, u32(7));
  EXPECT_EQ(encoded({StartDaemon{{SyncRole::master, "eth0", 7}}}),
            request(IPVS_CMD_NEW_DAEMON, attribute(kRequestDaemon, least)));
  auto full = kMaster;
  full.group = IpAddress::parse("ff02::81").value();
  const auto group = full.group->bytes();
  EXPECT_EQ(
      encoded({StartDaemon{full}}),
      request(
          IPVS_CMD_NEW_DAEMON,
          attribute(kRequestDaemon,
                    least + attribute(IPVS_DAEMON_ATTR_MCAST_GROUP6, {group.begin(), group.end()}) +
                        attribute(IPVS_DAEMON_ATTR_MCAST_PORT, raw(std::uint16_t{8848})) +
                        attribute(IPVS_DAEMON_ATTR_MCAST_TTL, Bytes{1}) +
                        attribute(IPVS_DAEMON_ATTR_SYNC_MAXLEN, raw(std::uint16_t{1472})))));
}

TEST(GlobalsMessages, NamesThatTheKernelWouldCutAreRefused) {
  Bytes bytes;
  for (const auto& name : {std::string(), std::string(16, 'x'), std::string("a\0b", 3)}) {
    EXPECT_FALSE(appendRequest(bytes, {}, {StartDaemon{{SyncRole::master, name}}}));
  }
  EXPECT_THAT(bytes, IsEmpty());
  EXPECT_TRUE(appendRequest(bytes, {}, {StartDaemon{{SyncRole::master, std::string(15, 'x')}}}));
}

TEST(GlobalsMessages, AnswersAreRead) {
  EXPECT_EQ(decodeTimeouts(kTimeouts), (Timeouts{900, 120, 300}));
  EXPECT_EQ(decodeTimeouts({}), Timeouts{});
  EXPECT_EQ(decodeDaemon(daemonContent(1, attribute(99, Bytes(3)))), kMaster);
  auto six = kMaster;
  six.group = IpAddress::parse("ff02::81").value();
  const auto group = six.group->bytes();
  EXPECT_EQ(decodeDaemon(daemonContent(
                1, attribute(IPVS_DAEMON_ATTR_MCAST_GROUP6, {group.begin(), group.end()}))),
            six);
}

TEST(GlobalsMessages, BadAnswersAreRefused) {
  EXPECT_FALSE(decodeTimeouts(attribute(IPVS_CMD_ATTR_TIMEOUT_TCP, Bytes(3))));
  EXPECT_FALSE(decodeDaemon({}));
  EXPECT_FALSE(decodeDaemon(attribute(IPVS_CMD_ATTR_DAEMON, {})));
  EXPECT_FALSE(decodeDaemon(daemonContent(3)));
  EXPECT_FALSE(decodeDaemon(daemonContent(1, attribute(IPVS_DAEMON_ATTR_MCAST_GROUP6, Bytes(15)))));
  EXPECT_FALSE(decodeDaemon(daemonContent(1, attribute(IPVS_DAEMON_ATTR_MCAST_IFN, {}))));
}

Answers masterAndTimeouts(const Requests& requests) {
  Answers answers;
  for (const auto& [command, flags, sequence, attributes] : requests) {
    if (command == IPVS_CMD_GET_CONFIG) {
      answers.emplace_back(data(sequence, IPVS_CMD_SET_CONFIG, kTimeouts, 0));
    } else if (command == IPVS_CMD_GET_DAEMON) {
      answers.emplace_back(status(sequence - 1, EINVAL));
      answers.emplace_back(data(sequence, IPVS_CMD_NEW_DAEMON, daemonContent(1)));
      answers.emplace_back(done(sequence));
    } else {
      EXPECT_EQ(flags, NLM_F_REQUEST | NLM_F_ACK);
      answers.emplace_back(status(sequence, 0));
    }
  }
  return answers;
}

class NetlinkGlobalsTest : public testing::Test {
 protected:
  Script script{masterAndTimeouts, {}};
  NetlinkGlobals globals{channels(script)};
  const std::vector<GlobalsOperation> two{{SetTimeouts{{1, {}, {}}}},
                                          {StopDaemon{SyncRole::master}}};
};

TEST_F(NetlinkGlobalsTest, Dump) {
  EXPECT_EQ(globals.dump(), (Globals{{900, 120, 300}, {kMaster}}));
  EXPECT_THAT(script.sent, SizeIs(2));
  EXPECT_EQ(script.opened, 1);
}

TEST_F(NetlinkGlobalsTest, FailedDumpsTakeAnotherChannel) {
  script.kernel = [](const Requests& requests) -> Answers {
    return {status(requests.front().sequence, EPERM)};
  };
  EXPECT_THAT(globals.dump().error().message, HasSubstr("CAP_NET_ADMIN"));
  script.kernel = [](const Requests& requests) -> Answers {
    if (requests.front().command == IPVS_CMD_GET_CONFIG) return masterAndTimeouts(requests);
    const auto daemon = data(requests.front().sequence, IPVS_CMD_NEW_DAEMON, daemonContent(1));
    return {daemon + daemon};
  };
  EXPECT_THAT(globals.dump().error().message, HasSubstr("twice"));
  script.kernel = masterAndTimeouts;
  EXPECT_TRUE(globals.dump());
  EXPECT_EQ(script.opened, 3);
}

TEST_F(NetlinkGlobalsTest, FailuresBelongToTheirOperations) {
  script.kernel = [](const Requests& requests) {
    auto answers = masterAndTimeouts(requests);
    if (requests[0].command == IPVS_CMD_SET_CONFIG)
      answers[0] = status(requests[0].sequence, EINVAL);
    return answers;
  };
  const auto report = globals.apply(two);
  EXPECT_EQ(report.applied, 1U);
  ASSERT_THAT(report.failures, SizeIs(1));
  EXPECT_EQ(report.failures[0].index, 0U);
  EXPECT_THAT(report.failures[0].error.message,
              HasSubstr("set timeouts tcp 1s: a timeout is out of range"));
}

TEST_F(NetlinkGlobalsTest, StopsThatTheKernelDoesNotAnswerAreDone) {
  script.kernel = [](const Requests& requests) {
    auto answers = masterAndTimeouts(requests);
    answers.pop_front();
    return answers;
  };
  const auto report = globals.apply(two);
  EXPECT_EQ(report.applied, 1U);
  ASSERT_THAT(report.failures, SizeIs(1)) << "nothing else may stay without an answer";
  EXPECT_EQ(report.failures[0].index, 0U);
}

TEST_F(NetlinkGlobalsTest, LostAnswersLeaveTheRestUnknown) {
  script.kernel = [](const Requests&) { return Answers{}; };
  const auto report = globals.apply(two);
  EXPECT_TRUE(report.unknown);
  ASSERT_THAT(report.failures, SizeIs(2));
  EXPECT_EQ(report.failures[1].error.code, ETIMEDOUT);
  script.kernel = masterAndTimeouts;
  EXPECT_EQ(globals.apply(two).applied, 2U);
  EXPECT_EQ(script.opened, 2);
}

}  // namespace
}  // namespace l4ward::ipvs
