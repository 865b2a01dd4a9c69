// Writes what a real kernel answers into the directory L4WARD_CAPTURE, a datagram a file: the
// fuzzers' corpus. L4WARD_CAPTURE=/out/netlink tests/lab/vm --bring /out/netlink=DIRECTORY --
// build/release/ipvs_vmtest --gtest_filter='Capture.*'
#include <gmock/gmock.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include "base/file.h"
#include "ipvs/globals_netlink.h"
#include "tests/ipvs/datagrams.h"
#include "tests/ipvs/own_network.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

using testing::IsEmpty;

// Passes everything on and keeps what is received.
class Recorder final : public Channel {
 public:
  Recorder(std::unique_ptr<Channel> channel, const std::string& path)
      : channel_(std::move(channel)), path_(path) {}
  std::uint16_t family() const override { return channel_->family(); }
  std::uint32_t nextSequence() override { return channel_->nextSequence(); }
  Status send(ByteView datagram) override { return channel_->send(datagram); }
  Result<ByteView> receive(TimePoint deadline) override {
    auto datagram = channel_->receive(deadline);
    if (datagram) {
      const std::string content(datagram->begin(), datagram->end());
      EXPECT_TRUE(replaceFile(path_ + "-" + std::to_string(++count_), content, 0644));
    }
    return datagram;
  }

 private:
  std::unique_ptr<Channel> channel_;
  std::string path_;
  int count_ = 0;
};

class Capture : public RealKernel {
 protected:
  void SetUp() override {
    const char* directory = std::getenv("L4WARD_CAPTURE");
    if (!directory) GTEST_SKIP() << "L4WARD_CAPTURE is not set";
    std::filesystem::create_directories(directory);
    directory_ = directory;
    ASSERT_NO_FATAL_FAILURE(RealKernel::SetUp());
  }

  // Channels whose answers go to the files `name`-1, `name`-2 …
  ChannelFactory recorded(const std::string& name) {
    return [path = directory_ + "/" + name]() -> Result<std::unique_ptr<Channel>> {
      auto channel = netlinkChannels({})();
      if (!channel) return channel;
      return std::make_unique<Recorder>(*std::move(channel), path);
    };
  }

  std::string directory_;
};

TEST_F(Capture, Tables) {
  const auto web = tcp("198.51.100.1:80");
  const auto far = endpoint("[2001:db8:1::1]:80");
  WantedTable wanted;
  wanted[web].destinations = {
      {server(1), in(1, kIpip)},
      {server(2), in(2, {Forward::tunnel, {TunnelType::gue, 6080, kTunnelRemoteChecksum}})},
      {server(3), in(3, {Forward::tunnel, {TunnelType::gre, 0, kTunnelChecksum}})},
      {server(4), out(4, kDirect)},
      {server(5), in(5, {Forward::masquerade, {}})},
      {far, in(7, {Forward::tunnel, {TunnelType::gue, 6081, kTunnelChecksum}})}};
  wanted[web].destinations.at(server(1)).thresholds = {1000, 800};
  wanted[tcp("[2001:db8::1]:443")].destinations = {{far, in(1, kDirect)}, {server(1), in()}};
  wanted[{Protocol::udp, endpoint("198.51.100.2:53")}].config = {"rr", kFlagOnePacket};
  wanted[{Protocol::sctp, endpoint("198.51.100.2:53")}].config = {"sh", kFlagPersistent, 300, 24};
  wanted[{Protocol::udp, endpoint("[2001:db8::2]:5060")}].config = {"rr", kFlagPersistent, 60, 64};
  wanted[ServiceKey::ofMark(7, Family::v4)].config = {"wrr", kFlagPersistent, 360};
  wanted[ServiceKey::ofMark(8, Family::v6)].destinations = {{far, in(1, kDirect)}};
  Node node{*kernel};
  node.program(wanted);
  EXPECT_THAT(node.report.failures, IsEmpty());
  EXPECT_TRUE((*NetlinkKernel::open(recorded("table")))->dump());
  EXPECT_TRUE((*NetlinkKernel::open(recorded("chosen")))
                  ->dump({{web, tcp("198.51.100.9:80"), ServiceKey::ofMark(8, Family::v6)}}));
}

TEST_F(Capture, Failures) {
  const auto web = tcp("198.51.100.1:80");
  const std::vector<Operation> operations{
      {web, DeleteService{}}, {web, AddService{{"nosuch", 0, 0}}}, {web, AddService{}},
      {web, AddService{}},    {web, DeleteDestination{server(1)}}, {web, DeleteService{}}};
  EXPECT_EQ((*NetlinkKernel::open(recorded("failures")))->apply(operations).applied, 2U);
  // Attributes of the wrong length, which the kernel explains.
  const auto channel = *recorded("explained")();
  const auto timeout = attribute(IPVS_CMD_ATTR_TIMEOUT_TCP, Bytes(2));
  const auto service = attribute(IPVS_CMD_ATTR_SERVICE, attribute(IPVS_SVC_ATTR_ADDR, Bytes(99)));
  for (const auto& content : {raw(genlmsghdr{IPVS_CMD_SET_CONFIG, 1, 0}) + timeout,
                              raw(genlmsghdr{IPVS_CMD_NEW_SERVICE, 1, 0}) + service}) {
    EXPECT_TRUE(
        channel->send(message(channel->family(), NLM_F_REQUEST, channel->nextSequence(), content)));
    EXPECT_TRUE(channel->receive(Clock::now() + Millis(1000)));
  }
}

TEST_F(Capture, Globals) {
  shell(
      "ip link add sync0 type veth peer name far && ip link set far up && "
      "ip link set sync0 up && ip addr add 192.0.2.1/24 dev sync0");
  NetlinkGlobals globals{recorded("globals")};
  const SyncDaemon master{SyncRole::master, "sync0", 7};
  const SyncDaemon backup{SyncRole::backup, "sync0", 255, IpAddress::parse("ff05::81").value()};
  const std::vector<GlobalsOperation> operations{{StartDaemon{master}}, {StartDaemon{backup}}};
  EXPECT_THAT(globals.apply(operations).failures, IsEmpty());
  EXPECT_TRUE(globals.dump());
}

}  // namespace
}  // namespace l4ward::ipvs
