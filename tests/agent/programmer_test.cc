// The programmer by itself: others' changes, services that the kernel refuses, kernels that lie.
#include "agent/programmer.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "tests/agent/fixture.h"
#include "tests/ipvs/tables.h"

namespace l4ward::agent {
namespace {

using ipvs::Operation;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const ipvs::ServiceKey kWeb = tcp("198.51.100.1:80");
const ipvs::ServiceKey kTls = tcp("198.51.100.1:443");
constexpr Programmer::Periods kPeriods{Millis(300000), Millis(30000)};

class ProgrammerTest : public testing::Test {
 protected:
  void SetUp() override {
    wanted = {{kWeb, ipvs::pool(3)}, {kTls, ipvs::pool(3)}};
    for (const auto& [key, service] : wanted) memory.value.owned[key];
  }
  // What it logged.
  std::string turn() {
    testing::internal::CaptureStderr();
    programmer.reconcile({wanted}, now, kPeriods);
    return testing::internal::GetCapturedStderr();
  }
  template <typename What>
  void somebody(const ipvs::ServiceKey& key, What what) {
    const Operation operation{key, what};
    ASSERT_THAT(kernel.apply({&operation, 1}).failures, IsEmpty());
  }
  // The kernel holds what is wanted, last weights included.
  void expectWanted() {
    const auto operations = ipvs::plan(*kernel.dump(), wanted, memory.value.lastWeights, {});
    EXPECT_THAT(ipvs::texts(operations), IsEmpty());
  }

  ipvs::FakeKernel kernel;
  MemoryFile memory{"", ""};
  Programmer programmer{kernel, memory};
  ipvs::WantedTable wanted;
  TimePoint now{std::chrono::hours(1)};
};

TEST_F(ProgrammerTest, AWeightCostsOneOperationAndNoDump) {
  turn();
  const auto dumps = kernel.dumps();
  const auto operations = kernel.operations();
  wanted[kWeb].destinations[ipvs::server(2)].out = true;
  turn();
  EXPECT_EQ(kernel.operations() - operations, 1U);
  EXPECT_EQ(kernel.dumps(), dumps);
  expectWanted();
}

TEST_F(ProgrammerTest, DriftIsReportedAndMendedWithinThePeriod) {
  turn();
  somebody(kWeb, ipvs::EditDestination{ipvs::server(1), ipvs::kIpip, 9});
  somebody(kTls, ipvs::DeleteService{});
  now += Millis(29999);
  EXPECT_THAT(turn(), IsEmpty());
  now += Millis(1);
  EXPECT_LE(programmer.nextDue(), now);
  const auto log = turn();
  EXPECT_THAT(
      log, HasSubstr(R"(service="tcp 198.51.100.1:80" found="192.0.2.1:80 has weight 9, not 1")"));
  EXPECT_THAT(log, HasSubstr(R"(service="tcp 198.51.100.1:443" found=gone)"));
  EXPECT_THAT(log, HasSubstr("ipvs.drift_found differences=2 services=2"));
  expectWanted();
  now += Millis(30000);
  EXPECT_THAT(turn(), IsEmpty());
}

TEST_F(ProgrammerTest, AResyncLooksAtOnce) {
  turn();
  somebody(kWeb, ipvs::DeleteService{});
  programmer.resync();
  EXPECT_THAT(turn(), HasSubstr("ipvs.drift"));
  expectWanted();
}

TEST_F(ProgrammerTest, WhatItDidItselfIsNoDrift) {
  turn();
  wanted[kWeb].destinations[ipvs::server(1)].out = true;
  turn();
  wanted[kTls].destinations[ipvs::server(9)] = ipvs::in(4);
  wanted[kTls].destinations.erase(ipvs::server(2));
  turn();
  now += Millis(30000);
  EXPECT_THAT(turn(), Not(HasSubstr("ipvs.drift")));
}

TEST_F(ProgrammerTest, AServiceThatTheKernelRefusesDoesNotHoldUpTheOthers) {
  wanted[kWeb].config.scheduler = "twos";
  turn();
  EXPECT_FALSE(programmer.isProgrammed(kWeb));
  EXPECT_TRUE(programmer.isProgrammed(kTls));
  EXPECT_GT(programmer.nextDue(), now);
  wanted[kTls].destinations[ipvs::server(1)].out = true;
  const auto log = turn();  // at once, though the other one waits for its retry
  EXPECT_THAT(log, Not(HasSubstr("twos")));
  EXPECT_EQ(kernel.dump()->at(kTls).destinations[0].weight, 0U);
  kernel.schedulers.insert("twos");
  now = programmer.nextDue();
  turn();
  EXPECT_TRUE(programmer.isProgrammed(kWeb));
  expectWanted();
}

TEST_F(ProgrammerTest, RetriesOfARefusedServiceComeSlower) {
  wanted[kWeb].config.scheduler = "twos";
  turn();
  const auto first = programmer.nextDue() - now;
  for (int i = 0; i < 12; ++i) {
    now = programmer.nextDue();
    turn();
  }
  EXPECT_GT(programmer.nextDue() - now, 10 * first);
  EXPECT_LE(programmer.nextDue() - now, Millis(10000));
  programmer.resync();
  kernel.schedulers.insert("twos");
  turn();
  EXPECT_TRUE(programmer.isProgrammed(kWeb)) << "asked for, so not waiting";
}

TEST_F(ProgrammerTest, AKernelThatForgetsAnAttributeIsFoundOut) {
  kernel.hasThresholds = false;
  wanted[kWeb].destinations[ipvs::server(1)].thresholds = {100, 50};
  EXPECT_THAT(turn(), HasSubstr("ipvs.not_taken"));
  EXPECT_FALSE(programmer.isProgrammed(kWeb));
  EXPECT_TRUE(programmer.isProgrammed(kTls));
  const auto operations = kernel.operations();
  turn();
  EXPECT_EQ(kernel.operations(), operations) << "not before its time";
}

TEST_F(ProgrammerTest, ABrokenChannelIsReadAgain) {
  turn();
  wanted[kWeb].destinations[ipvs::server(1)] = ipvs::in(2);
  kernel.breakAfter = 0;
  turn();
  EXPECT_FALSE(programmer.isProgrammed(kWeb));
  EXPECT_FALSE(programmer.isProgrammed(kTls)) << "nothing is known";
  now = programmer.nextDue();
  turn();
  EXPECT_TRUE(programmer.isProgrammed(kTls));
  expectWanted();
}

}  // namespace
}  // namespace l4ward::agent
