// Timeouts and synchronisation daemons of a real kernel.
#include <gmock/gmock.h>

#include <cerrno>
#include <string>
#include <tuple>

#include "ipvs/globals_netlink.h"
#include "tests/ipvs/own_network.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const SyncDaemon kMaster{SyncRole::master, "sync0", 7};
const SyncDaemon kBackup{SyncRole::backup, "sync0", 7};

class GlobalsOfKernel : public RealKernel {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(RealKernel::SetUp());
    shell(
        "ip link add sync0 type veth peer name far && ip link set far up && "
        "ip link set sync0 up && ip addr add 192.0.2.1/24 dev sync0 && "
        "ip addr add 2001:db8::1/64 dev sync0 nodad");
  }

  // Plans and applies; the operations.
  std::vector<std::string> program(const Globals& wanted) {
    const auto actual = *globals.dump();
    const auto plan = planGlobals(actual, wanted, owned);
    problems = plan.problems;
    report = globals.apply(plan.operations);
    owned = ownedAfter(actual, owned, plan.operations, report);
    std::vector<std::string> texts;
    for (const auto& operation : plan.operations) texts.push_back(operation.str());
    return texts;
  }

  Error start(const SyncDaemon& daemon) {
    const GlobalsOperation operation{StartDaemon{daemon}};
    const auto result = globals.apply({&operation, 1});
    return result.failures.empty() ? Error{} : result.failures[0].error;
  }

  NetlinkGlobals globals{netlinkChannels({})};
  std::set<SyncRole> owned;
  std::vector<Error> problems;
  ApplyReport report;
};

TEST_F(GlobalsOfKernel, DefaultsAreKnown) {
  EXPECT_EQ(*globals.dump(), (Globals{{900, 120, 300}, {}}));
}

TEST_F(GlobalsOfKernel, TimeoutsComeBack) {
  EXPECT_THAT(program({{1000, {}, 30}, {}}), SizeIs(1));
  EXPECT_THAT(report.failures, IsEmpty());
  EXPECT_EQ(globals.dump()->timeouts, (Timeouts{1000, 120, 30}));
  EXPECT_THAT(program({{1000, {}, 30}, {}}), IsEmpty());
  EXPECT_THAT(program({{{}, Timeouts::kMaxTimeout, {}}, {}}), SizeIs(1));
  EXPECT_EQ(globals.dump()->timeouts, (Timeouts{1000, Timeouts::kMaxTimeout, 30}));
  shell("ipvsadm -L --timeout | grep -q '1000 2147483 30'");
  program({{0xffffffff, {}, {}}, {}});
  ASSERT_THAT(report.failures, SizeIs(1));
  EXPECT_THAT(report.failures[0].error.message, HasSubstr("a timeout is out of range"));
}

TEST_F(GlobalsOfKernel, DaemonsComeBackWithDefaults) {
  const Globals wanted{{}, {kMaster, kBackup}};
  EXPECT_THAT(program(wanted), SizeIs(2));
  ASSERT_THAT(report.failures, IsEmpty());
  const auto actual = *globals.dump();
  ASSERT_THAT(actual.daemons, SizeIs(2));
  EXPECT_EQ(actual.daemon(SyncRole::master)->str(),
            "sync daemon master on sync0 id 7 group 224.0.0.81 port 8848 ttl 1 length 1472");
  EXPECT_THAT(program(wanted), IsEmpty()) << "a restart without change wrote";
  shell("ipvsadm -L --daemon | grep -q 'master sync daemon (mcast=sync0, syncid=7'");
}

TEST_F(GlobalsOfKernel, LengthsComeFromTheMtu) {
  shell("ip link set sync0 mtu 9000");
  for (const auto& [group, master, backup] :
       {std::tuple{"239.1.2.3", 1472, 8972}, std::tuple{"ff05::81", 1452, 8952}}) {
    for (auto daemon : {kMaster, kBackup}) {
      daemon.group = IpAddress::parse(group).value();
      program({{}, {daemon}});
      ASSERT_THAT(report.failures, IsEmpty());
      EXPECT_EQ(globals.dump()->daemons.at(0).maxLength,
                daemon.role == SyncRole::master ? master : backup);
    }
  }
}

TEST_F(GlobalsOfKernel, EveryValueComesBack) {
  for (const auto* group : {"239.1.2.3", "ff05::81"}) {
    for (const auto role : {SyncRole::master, SyncRole::backup}) {
      const SyncDaemon daemon{role, "sync0", 255, IpAddress::parse(group).value(), 9000, 5, 1100};
      program({{}, {daemon}});
      ASSERT_THAT(report.failures, IsEmpty()) << report.failures[0].error.message;
      EXPECT_EQ(globals.dump()->daemons, std::vector{daemon});
    }
  }
}

TEST_F(GlobalsOfKernel, LengthsAreCutAsPlannedFor) {
  for (const std::uint16_t length : std::initializer_list<std::uint16_t>{1, 500, 1024, 65535}) {
    for (const auto* group : {"239.1.2.3", "ff05::81"}) {
      for (auto daemon : {kMaster, kBackup}) {
        daemon.group = IpAddress::parse(group).value();
        daemon.maxLength = length;
        program({{}, {daemon}});
        ASSERT_THAT(report.failures, IsEmpty()) << daemon.str();
        EXPECT_THAT(program({{}, {daemon}}), IsEmpty()) << daemon.str();
      }
    }
  }
}

TEST_F(GlobalsOfKernel, DaemonsAreChangedAndStopped) {
  program({{}, {kMaster}});
  auto moved = kMaster;
  moved.id = 8;
  moved.port = 9000;
  EXPECT_THAT(program({{}, {moved}}), SizeIs(2));
  ASSERT_THAT(report.failures, IsEmpty());
  EXPECT_TRUE(satisfies(globals.dump()->daemons.at(0), moved));
  EXPECT_THAT(program({}), SizeIs(1));
  EXPECT_THAT(globals.dump()->daemons, IsEmpty());
  EXPECT_THAT(owned, IsEmpty());
}

TEST_F(GlobalsOfKernel, OthersDaemonsStay) {
  shell(
      "ipvsadm --start-daemon master --mcast-interface sync0 --syncid 9 && "
      "ipvsadm --start-daemon backup --mcast-interface sync0 --syncid 7");
  EXPECT_THAT(program({{}, {kMaster, kBackup}}), IsEmpty());
  ASSERT_THAT(problems, SizeIs(1)) << "the backup is what is wanted";
  EXPECT_THAT(problems[0].message, HasSubstr("somebody else runs sync daemon master on sync0"));
  EXPECT_THAT(program({}), IsEmpty());
  EXPECT_THAT(globals.dump()->daemons, SizeIs(2));
}

TEST_F(GlobalsOfKernel, ErrorsAreSentences) {
  EXPECT_THAT(start({SyncRole::master, "nosuch", 1}).message,
              HasSubstr("there is no interface nosuch"));
  auto unicast = kMaster;
  unicast.group = IpAddress::parse("192.0.2.1").value();
  EXPECT_THAT(start(unicast).message, HasSubstr("must be a multicast address"));
  EXPECT_EQ(start(kMaster).message, "");
  EXPECT_THAT(start(kMaster).message, HasSubstr("a master runs already"));
  const GlobalsOperation stop{StopDaemon{SyncRole::backup}};
  EXPECT_THAT(globals.apply({&stop, 1}).failures.at(0).error.message, HasSubstr("no backup runs"));
}

TEST_F(GlobalsOfKernel, MixedFamiliesAndDaemonsExcludeEachOther) {
  const auto web = tcp("198.51.100.1:80");
  const auto far = endpoint("[2001:db8:1::1]:80");
  EXPECT_EQ(run(web, AddService{}), 0);
  EXPECT_EQ(run(web, AddDestination{far, kIpip, 1}), 0);
  EXPECT_EQ(start(kMaster).code, EINVAL);
  EXPECT_THAT(start(kMaster).message, HasSubstr("no server may have the other address family"));
  EXPECT_EQ(run(web, DeleteDestination{far}), 0);
  EXPECT_EQ(start(kMaster).code, 0);
  EXPECT_EQ(run(web, AddDestination{far, kIpip, 1}), EINVAL);
}

// The far end of sync0 in a namespace of its own, with a backup there.
TEST_F(GlobalsOfKernel, ABackupLearnsTheMastersConnections) {
  shell(
      "ip netns add backup && ip link set far netns backup && "
      "ip -n backup link set lo up && ip -n backup link set far up && "
      "ip -n backup addr add 192.0.2.2/24 dev far && "
      "ip netns exec backup ipvsadm --start-daemon backup --mcast-interface far --syncid 7 && "
      "ip addr add 198.51.100.1/32 dev lo && sysctl -qw net.ipv4.vs.sync_threshold='0 1'");
  program({{}, {kMaster}});
  ASSERT_THAT(report.failures, IsEmpty());
  // A local server, so that there is a connection to tell of.
  shell("ipvsadm -A -t 198.51.100.1:80 -s rr && ipvsadm -a -t 198.51.100.1:80 -r 127.0.0.1:80 -m");
  shell(
      "python3 -c 'import socket,time\n"
      "s=socket.create_server((\"127.0.0.1\",80))\n"
      "c=socket.create_connection((\"198.51.100.1\",80))\n"
      "a=s.accept()[0]\n"
      "for i in range(40): c.send(b\"x\"); time.sleep(0.1)'");
  shell(
      "ip netns exec backup ipvsadm -Lnc | grep 198.51.100.1:80; status=$?; "
      "ip netns del backup; exit $status");
}

}  // namespace
}  // namespace l4ward::ipvs
