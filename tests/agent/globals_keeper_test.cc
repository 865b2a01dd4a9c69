#include "agent/globals_keeper.h"

#include <gmock/gmock.h>

#include "tests/agent/fixture.h"
#include "tests/ipvs/fake_globals.h"

namespace l4ward::agent {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr Millis kPeriod{30000};

class GlobalsKeeperTest : public testing::Test {
 protected:
  std::string turn(const std::string& ipvs) {
    const auto wanted = wantedGlobals(siteOf("ipvs: {" + ipvs + "}\nservices: {}\n").ipvs);
    testing::internal::CaptureStderr();
    due = keeper.reconcile(wanted, now, kPeriod);
    return testing::internal::GetCapturedStderr();
  }

  ipvs::FakeGlobals kernel;
  MemoryFile memory{"", ""};
  GlobalsKeeper keeper{kernel, memory};
  TimePoint now{std::chrono::hours(1)};
  TimePoint due{};
};

const std::string kMaster = " sync: { master: { interface: eth0, id: 7 } } ";

TEST_F(GlobalsKeeperTest, WithoutKeysTheKernelIsNotEvenRead) {
  kernel.dumpFailure = Error{"read", 5};
  EXPECT_THAT(turn(""), IsEmpty());
  EXPECT_EQ(due, TimePoint::max());
}

TEST_F(GlobalsKeeperTest, TimeoutsAreSetAndKept) {
  turn(" timeouts: { tcp: 2h, udp: 30s } ");
  EXPECT_EQ(kernel.state.timeouts, (ipvs::Timeouts{7200, 120, 30}));
  turn(" timeouts: { tcp: 2h, udp: 30s } ");
  EXPECT_EQ(kernel.operations, 1U);
  kernel.state.timeouts.tcp = 900;
  now += kPeriod;
  EXPECT_LE(due, now);
  EXPECT_THAT(turn(" timeouts: { tcp: 2h, udp: 30s } "), HasSubstr("set timeouts tcp 7200s"));
  EXPECT_EQ(kernel.state.timeouts.tcp, 7200U);
}

TEST_F(GlobalsKeeperTest, DaemonsStartAndStopWithTheFile) {
  EXPECT_THAT(turn(kMaster), HasSubstr("start sync daemon master on eth0 id 7"));
  ASSERT_EQ(kernel.state.daemons.size(), 1U);
  EXPECT_EQ(memory.value.syncDaemons, std::set{ipvs::SyncRole::master});
  now += kPeriod;
  EXPECT_THAT(turn(kMaster), IsEmpty()) << "defaults that the kernel filled in are no difference";
  turn("");
  EXPECT_THAT(kernel.state.daemons, IsEmpty());
  EXPECT_THAT(memory.value.syncDaemons, IsEmpty());
}

TEST_F(GlobalsKeeperTest, SomebodyElsesDaemonStays) {
  kernel.apply(std::vector<ipvs::GlobalsOperation>{
      {ipvs::StartDaemon{{ipvs::SyncRole::master, "eth0", 3}}}});
  EXPECT_THAT(turn(kMaster), HasSubstr("ipvs.global_failed"));
  turn("");
  EXPECT_EQ(kernel.state.daemons.size(), 1U);
}

TEST_F(GlobalsKeeperTest, AFailureIsSaidOnceAndTriedAgain) {
  kernel.interfaces.clear();
  EXPECT_THAT(turn(kMaster), HasSubstr("ipvs.global_failed"));
  EXPECT_LT(due, now + kPeriod);
  now = due;
  EXPECT_THAT(turn(kMaster), IsEmpty());
  kernel.interfaces.insert("eth0");
  now = due;
  EXPECT_THAT(turn(kMaster), HasSubstr("ipvs.global_set"));
}

}  // namespace
}  // namespace l4ward::agent
