#include "ipvs/plan.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/ipvs/fake_kernel.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const ServiceKey kWeb = tcp("198.51.100.1:80");
const ServiceKey kTls = tcp("198.51.100.1:443");

// A kernel that holds a pool of `n` servers, and the node that programmed it.
class Plan : public testing::Test {
 protected:
  void hold(const WantedService& service) {
    wanted[kWeb] = service;
    node.program(wanted);
    ASSERT_THAT(node.report.failures, IsEmpty());
    ASSERT_THAT(node.program(wanted), IsEmpty()) << "not idempotent";
  }
  WantedDestination& want(unsigned number) { return wanted[kWeb].destinations[server(number)]; }
  // The changes without the service's name.
  std::vector<std::string> program() {
    auto lines = texts(node.program(wanted));
    for (auto& line : lines) line = line.substr(line.find(": ") + 2);
    EXPECT_THAT(node.report.failures, IsEmpty());
    EXPECT_THAT(node.program(wanted), IsEmpty()) << "not idempotent";
    expectWanted();
    return lines;
  }
  // Order, weights and last weights are as the plan promises.
  void expectWanted() {
    for (const auto& [key, service] : wanted) {
      const auto actual = kernel.dump()->at(key);
      EXPECT_EQ(actual.config, service.config);
      ASSERT_EQ(actual.destinations.size(), service.destinations.size());
      auto held = actual.destinations.begin();
      for (const auto& [address, want] : service.destinations) {
        EXPECT_EQ(held->address, address);
        EXPECT_EQ(held->path, want.path);
        EXPECT_EQ(held->weight, want.out ? 0 : want.nominalWeight);
        EXPECT_EQ(kernel.lastWeight(key, address), want.nominalWeight);
        ++held;
      }
    }
  }

  FakeKernel kernel;
  Node node{kernel};
  WantedTable wanted;
};

TEST_F(Plan, NothingForNothing) {
  EXPECT_THAT(plan({}, {}, {}, {}), IsEmpty());
}

TEST_F(Plan, NewServiceIsFilledUnderNoScheduler) {
  wanted[kWeb] = pool(3);
  want(2) = out(4);
  EXPECT_THAT(
      program(),
      ElementsAre("add service scheduler none", "add 192.0.2.3:80 weight 1 tunnel ipip",
                  "add 192.0.2.2:80 weight 4 tunnel ipip", "edit 192.0.2.2:80 weight 0 tunnel ipip",
                  "add 192.0.2.1:80 weight 1 tunnel ipip",
                  "edit service scheduler mh flags mh-fallback,mh-port"));
}

TEST_F(Plan, NewServiceWithoutScheduler) {
  wanted[kWeb].config.scheduler = "none";
  EXPECT_THAT(program(), ElementsAre("add service scheduler none"));
}

TEST_F(Plan, UnfinishedServiceIsFilledBeforeItsScheduler) {
  auto service = pool(2);
  service.config.scheduler = "none";
  hold(service);
  wanted[kWeb] = pool(2);
  want(1).out = true;
  want(3) = in();
  const auto lines = program();
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(lines.back(), "edit service scheduler mh flags mh-fallback,mh-port");
}

TEST_F(Plan, FlagsAndPersistenceBeforeWeights) {
  hold(pool(2));
  wanted[kWeb].config.flags = kFlagMhFallback;
  want(1).out = true;
  EXPECT_THAT(program(), ElementsAre("edit service scheduler mh flags mh-fallback",
                                     "edit 192.0.2.1:80 weight 0 tunnel ipip"));
  wanted[kWeb].config.flags |= kFlagPersistent;
  wanted[kWeb].config.timeout = 60;
  EXPECT_THAT(program(), ElementsAre("edit service scheduler mh flags mh-fallback persistent 60s"));
}

TEST_F(Plan, OutAndInAreOneOperationEach) {
  hold(pool(200));
  want(77).out = true;
  EXPECT_THAT(program(), ElementsAre("edit 192.0.2.77:80 weight 0 tunnel ipip"));
  want(77).out = false;
  EXPECT_THAT(program(), ElementsAre("edit 192.0.2.77:80 weight 1 tunnel ipip"));
}

TEST_F(Plan, ServersComeInBeforeOthersGoOut) {
  hold(pool(3));
  want(3).out = true;
  program();
  want(3).out = false;
  want(1).out = true;
  EXPECT_THAT(program(), ElementsAre("edit 192.0.2.3:80 weight 1 tunnel ipip",
                                     "edit 192.0.2.1:80 weight 0 tunnel ipip"));
}

TEST_F(Plan, NewWeight) {
  hold(pool(2));
  want(1).nominalWeight = 3;
  EXPECT_THAT(program(), ElementsAre("edit 192.0.2.1:80 weight 3 tunnel ipip"));
}

TEST_F(Plan, NewWeightOfAServerThatIsOut) {
  hold(pool(2));
  want(1).out = true;
  program();
  want(1).nominalWeight = 3;
  EXPECT_THAT(program(), ElementsAre("edit 192.0.2.1:80 weight 3 tunnel ipip",
                                     "edit 192.0.2.1:80 weight 0 tunnel ipip"));
}

TEST_F(Plan, NewWeightOfAServerThatGoesOut) {
  hold(pool(2));
  want(1) = out(3);
  EXPECT_THAT(program(), ElementsAre("edit 192.0.2.1:80 weight 3 tunnel ipip",
                                     "edit 192.0.2.1:80 weight 0 tunnel ipip"));
}

TEST_F(Plan, UnknownLastWeightIsRepaired) {
  hold(pool(2));
  want(2).out = true;
  program();
  node.lastWeights.clear();  // as after the loss of the record
  EXPECT_THAT(program(), ElementsAre("edit 192.0.2.2:80 weight 1 tunnel ipip",
                                     "edit 192.0.2.2:80 weight 0 tunnel ipip"));
}

TEST_F(Plan, DriftOfWeightIsMended) {
  hold(pool(2));
  want(2).out = true;
  program();
  const Operation drift{kWeb, EditDestination{server(2), kIpip, 7}};
  kernel.apply({&drift, 1});
  EXPECT_THAT(program(), ElementsAre("edit 192.0.2.2:80 weight 1 tunnel ipip",
                                     "edit 192.0.2.2:80 weight 0 tunnel ipip"));
}

TEST_F(Plan, NewPathKeepsAServerOut) {
  hold(pool(2));
  want(1).out = true;
  program();
  want(1).path = kDirect;
  want(2).path = {Forward::tunnel, {TunnelType::gue, 6080, kTunnelChecksum}};
  EXPECT_THAT(program(), ElementsAre("edit 192.0.2.2:80 weight 1 tunnel gue port 6080 checksum",
                                     "edit 192.0.2.1:80 weight 0 direct"));
}

TEST_F(Plan, NewFirstServerMovesNoOther) {
  hold(pool(3));
  const auto first = endpoint("192.0.1.9:80");
  wanted[kWeb].destinations[first] = in();
  EXPECT_THAT(program(), ElementsAre("add 192.0.1.9:80 weight 1 tunnel ipip"));
}

TEST_F(Plan, NewServerInTheMiddlePutsThoseBeforeItInFrontAgain) {
  wanted[kWeb] = pool(4);
  wanted[kWeb].destinations.erase(server(3));
  hold(wanted[kWeb]);
  want(1).out = true;
  program();
  want(3) = out(2);
  EXPECT_THAT(program(), ElementsAre("add 192.0.2.3:80 weight 2 tunnel ipip",
                                     "edit 192.0.2.3:80 weight 0 tunnel ipip",  //
                                     "delete 192.0.2.2:80", "add 192.0.2.2:80 weight 1 tunnel ipip",
                                     "delete 192.0.2.1:80", "add 192.0.2.1:80 weight 1 tunnel ipip",
                                     "edit 192.0.2.1:80 weight 0 tunnel ipip"));
}

TEST_F(Plan, UnwantedServersAreDeletedLast) {
  hold(pool(3));
  wanted[kWeb].destinations.erase(server(2));
  wanted[kWeb].destinations[endpoint("192.0.1.9:80")] = in();
  EXPECT_THAT(program(),
              ElementsAre("add 192.0.1.9:80 weight 1 tunnel ipip", "delete 192.0.2.2:80"));
}

TEST_F(Plan, LongestTailInOrderStays) {
  // Somebody added servers 1 to 5 in another order: the list is 2 4 1 3 5.
  std::vector<Operation> foreign{{kWeb, AddService{}}};
  for (const unsigned number : {5, 3, 1, 4, 2}) {
    foreign.push_back({kWeb, AddDestination{server(number), kIpip, 1}});
  }
  kernel.apply(foreign);
  wanted[kWeb] = pool(5);
  // 4 and 5 stay; 3 is behind 4.
  EXPECT_THAT(program(),
              ElementsAre("delete 192.0.2.3:80", "add 192.0.2.3:80 weight 1 tunnel ipip",
                          "delete 192.0.2.2:80", "add 192.0.2.2:80 weight 1 tunnel ipip",
                          "delete 192.0.2.1:80", "add 192.0.2.1:80 weight 1 tunnel ipip"));
}

TEST_F(Plan, ServersOfBothFamiliesStandInOneOrder) {
  wanted[kWeb] = pool(1);
  wanted[kWeb].destinations[endpoint("[2001:db8::1]:80")] = in();
  EXPECT_THAT(program(),
              ElementsAre("add service scheduler none", "add [2001:db8::1]:80 weight 1 tunnel ipip",
                          "add 192.0.2.1:80 weight 1 tunnel ipip",
                          "edit service scheduler mh flags mh-fallback,mh-port"));
}

TEST_F(Plan, RemovesOnlyWhatItIsTold) {
  hold(pool(1));
  const auto actual = *kernel.dump();
  EXPECT_THAT(plan(actual, {}, {}, {}), IsEmpty()) << "a foreign service was touched";
  EXPECT_THAT(texts(plan(actual, {}, {}, std::vector{kWeb, kTls, kWeb})),
              ElementsAre("tcp 198.51.100.1:80: delete service"));
  EXPECT_THAT(plan(actual, wanted, {}, std::vector{kWeb}), IsEmpty()) << "wanted wins";
}

TEST_F(Plan, AtMostOneServerIsMissingWhileOthersMove) {
  hold(pool(20));
  const Endpoint last = server(21);
  wanted[kWeb].destinations[last] = in();
  const auto operations = plan(*kernel.dump(), wanted, node.lastWeights, {});
  EXPECT_EQ(operations.size(), 41U);
  for (const auto& operation : operations) {
    kernel.apply({&operation, 1});
    EXPECT_GE(kernel.dump()->at(kWeb).destinations.size(), 20U);
  }
}

TEST_F(Plan, EmptiedServiceStays) {
  hold(pool(2));
  wanted[kWeb].destinations.clear();
  EXPECT_THAT(program(), ElementsAre("delete 192.0.2.1:80", "delete 192.0.2.2:80"));
}

TEST_F(Plan, FailedOperationsAreMendedNextTime) {
  wanted[kWeb] = pool(4);
  want(2).out = true;
  kernel.failure = [](std::size_t count, const Operation&) { return count == 3 ? ENOMEM : 0; };
  node.program(wanted);
  ASSERT_EQ(node.report.failures.size(), 2U);  // the add, and the edit to 0 behind it
  EXPECT_EQ(node.report.failures[0].index, 3U);
  EXPECT_EQ(node.report.failures[1].error.code, ENOENT);
  kernel.failure = nullptr;
  EXPECT_EQ(program().size(), 4U);  // add, edit, and the one before it to the head again
}

TEST_F(Plan, BrokenChannelIsMendedNextTime) {
  wanted[kWeb] = pool(4);
  want(4).out = true;
  kernel.breakAfter = 3;
  node.program(wanted);
  EXPECT_TRUE(node.report.unknown);
  EXPECT_THAT(node.lastWeights, IsEmpty());
  program();
}

TEST_F(Plan, ThresholdsAreSeenAndKeepAServerOut) {
  hold(pool(3));
  want(1).thresholds = {1000, 800};
  want(2).out = true;
  program();
  want(2).thresholds = {500, 0};
  EXPECT_THAT(program(), ElementsAre("edit 192.0.2.2:80 weight 0 tunnel ipip thresholds 0-500"));
  want(1).thresholds = {};
  EXPECT_THAT(program(), ElementsAre("edit 192.0.2.1:80 weight 1 tunnel ipip"));
}

TEST_F(Plan, PersistenceIsSeen) {
  hold(pool(2));
  wanted[kWeb].config.flags |= kFlagPersistent;
  wanted[kWeb].config.timeout = 300;
  EXPECT_EQ(program().size(), 1U);
  wanted[kWeb].config.granularity = 24;
  EXPECT_EQ(program().size(), 1U);
  wanted[kWeb].config.engine = "sip";
  EXPECT_EQ(program().size(), 1U);
}

// Many changes to a service without traffic: the Maglev table is built once. With traffic it must
// never be without its scheduler.
TEST_F(Plan, AnIdleServiceIsRefilledWithoutItsScheduler) {
  hold(pool(8));
  auto changed = wanted;
  changed[kWeb].destinations[server(9)] = in();
  const auto actual = *kernel.dump();
  const auto busy = plan(actual, changed, {}, {});
  const auto idle = plan(actual, changed, {}, {}, {kWeb});
  ASSERT_EQ(busy.size(), 17U);
  ASSERT_EQ(idle.size(), busy.size() + 2);
  EXPECT_EQ(idle.front().str(), kWeb.str() + ": edit service scheduler none");
  EXPECT_EQ(idle.back(), (Operation{kWeb, EditService{}}));
  EXPECT_TRUE(std::equal(busy.begin(), busy.end(), idle.begin() + 1));
  changed = wanted;
  changed[kWeb].destinations[server(1)] = in(2);
  EXPECT_EQ(plan(actual, changed, {}, {}, {kWeb}).size(), 1U) << "not worth it";
}

TEST(TableAfter, IsWhatTheKernelHolds) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    RandomTables random(seed);
    FakeKernel kernel;
    ActualTable expected;
    for (int i = 0; i < 60; ++i) {
      const auto operation = random.operation();
      if (kernel.apply({&operation, 1}).failures.empty()) {
        expected = tableAfter(std::move(expected), {&operation, 1});
      }
      ASSERT_EQ(expected, *kernel.dump()) << seed << ": " << operation.str();
    }
  }
}

}  // namespace
}  // namespace l4ward::ipvs
