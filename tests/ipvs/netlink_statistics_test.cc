// Counters as the kernel sends them, and kernels that misbehave.
#include <gmock/gmock.h>
#include <linux/ip_vs.h>

#include <cerrno>

#include "ipvs/netlink_statistics.h"
#include "tests/ipvs/scripted_channel.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

using Answers = std::deque<ScriptedAnswer>;
using Requests = std::vector<ScriptedRequest>;

const ServiceKey kWeb = tcp("198.51.100.1:80");

Bytes counters(int type, const Counters& c) {
  return attribute(type, attribute(IPVS_STATS_ATTR_CONNS, raw(c.connections)) +
                             attribute(IPVS_STATS_ATTR_INPKTS, raw(c.packetsIn)) +
                             attribute(IPVS_STATS_ATTR_OUTPKTS, raw(c.packetsOut)) +
                             attribute(IPVS_STATS_ATTR_INBYTES, raw(c.bytesIn)) +
                             attribute(IPVS_STATS_ATTR_OUTBYTES, raw(c.bytesOut)));
}

Bytes connections(std::uint32_t active, std::uint32_t inactive) {
  return attribute(IPVS_DEST_ATTR_ACTIVE_CONNS, raw(active)) +
         attribute(IPVS_DEST_ATTR_INACT_CONNS, raw(inactive));
}

const Counters kOfService{1ULL << 33, 2, 3, 1ULL << 40, 5};
const Counters kOfServer{6, 7, 8, 9, 10};

// One service, kWeb, with the destinations that these bytes are.
auto kernelWith(Bytes destinations) {
  return [destinations = std::move(destinations)](const Requests& requests) {
    const auto& request = requests.front();
    const auto sequence = request.sequence;
    if (request.command == IPVS_CMD_GET_SERVICE) {
      return Answers{data(sequence, IPVS_CMD_NEW_SERVICE,
                          serviceContent(kWeb, {}, counters(IPVS_SVC_ATTR_STATS64, kOfService))),
                     done(sequence)};
    }
    return Answers{data(sequence, IPVS_CMD_NEW_DEST, destinations), done(sequence)};
  };
}

class NetlinkStatisticsTest : public testing::Test {
 protected:
  Result<Statistics> read(Bytes destinations) {
    script.kernel = kernelWith(std::move(destinations));
    return NetlinkStatistics(channels(script), {}).read();
  }
  Script script;
};

TEST_F(NetlinkStatisticsTest, CountersAndConnectionsOfEach) {
  const auto all = read(destinationContent(
      server(1), 1, connections(11, 12) + counters(IPVS_DEST_ATTR_STATS64, kOfServer)));
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_THAT(*all, SizeIs(1));
  const auto& service = all->at(kWeb);
  EXPECT_EQ(service.counters, kOfService);
  ASSERT_THAT(service.destinations, SizeIs(1));
  EXPECT_EQ(service.destinations.at(server(1)), (DestinationStatistics{kOfServer, 11, 12}));
}

TEST_F(NetlinkStatisticsTest, AKernelThatDoesNotCountIn64Bits) {
  const auto all = read(destinationContent(server(1)));
  ASSERT_TRUE(all);
  EXPECT_EQ(all->at(kWeb).destinations.at(server(1)), DestinationStatistics{});
}

TEST_F(NetlinkStatisticsTest, ACounterThatIsTooShortIsAnError) {
  const auto shortOne =
      attribute(IPVS_DEST_ATTR_STATS64, attribute(IPVS_STATS_ATTR_CONNS, raw(std::uint32_t{1})));
  const auto all = read(destinationContent(server(1), 1, shortOne));
  ASSERT_FALSE(all);
  EXPECT_THAT(all.error().message, HasSubstr("wrong length"));
}

TEST_F(NetlinkStatisticsTest, ATableThatChangedIsReadAgain) {
  const auto good = kernelWith(destinationContent(server(1)));
  int bad = 2;
  script.kernel = [&](const Requests& requests) {
    if (requests.front().command == IPVS_CMD_GET_SERVICE || bad == 0) return good(requests);
    --bad;
    const auto sequence = requests.front().sequence;
    const auto once = data(sequence, IPVS_CMD_NEW_DEST, destinationContent(server(1)));
    return Answers{once, once, done(sequence)};
  };
  const auto all = NetlinkStatistics(channels(script), {}).read();
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_THAT(all->at(kWeb).destinations, SizeIs(1));
  EXPECT_EQ(script.opened, 3);
}

TEST_F(NetlinkStatisticsTest, AfterAnErrorTheNextReadingOpensAChannel) {
  NetlinkStatistics statistics(channels(script), {});
  script.openError = ENOENT;
  EXPECT_FALSE(statistics.read());
  script.openError = 0;
  script.kernel = kernelWith(destinationContent(server(1)));
  EXPECT_TRUE(statistics.read());
}

TEST_F(NetlinkStatisticsTest, AKernelThatNeverEndsIsGivenUp) {
  script.kernel = [](const Requests&) { return Answers{}; };
  script.endless = [&] {
    return data(1, IPVS_CMD_NEW_SERVICE,
                serviceContent(tcp("198.51.100.1:" + std::to_string(1 + script.sent.size())), {}));
  };
  script.perDatagram = Millis(10);
  NetlinkOptions options;
  options.timeout = Millis(1000);
  const auto all = NetlinkStatistics(channels(script), options).read();
  ASSERT_FALSE(all);
}

}  // namespace
}  // namespace l4ward::ipvs
