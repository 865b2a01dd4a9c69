#include "ipvs/globals.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "tests/ipvs/fake_globals.h"

namespace l4ward::ipvs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

IpAddress address(const std::string& text) {
  return IpAddress::parse(text).value();
}

const SyncDaemon kMaster{SyncRole::master, "eth0", 7};
const SyncDaemon kBackup{SyncRole::backup, "eth0", 7};

// As the kernel tells it.
SyncDaemon running(const SyncDaemon& daemon) {
  FakeGlobals kernel;
  EXPECT_THAT(kernel.apply({{{{StartDaemon{daemon}}}}}).failures, IsEmpty());
  return kernel.state.daemons.at(0);
}

std::vector<std::string> texts(const GlobalsPlan& plan) {
  std::vector<std::string> result;
  for (const auto& operation : plan.operations) result.push_back(operation.str());
  for (const auto& problem : plan.problems) result.push_back("problem: " + problem.message);
  return result;
}

TEST(Globals, Texts) {
  EXPECT_EQ((Timeouts{900, 120, 300}).str(), "tcp 900s tcp-fin 120s udp 300s");
  EXPECT_EQ((Timeouts{{}, 120, {}}).str(), "tcp-fin 120s");
  EXPECT_EQ(kMaster.str(), "sync daemon master on eth0 id 7");
  EXPECT_EQ(running(kBackup).str(),
            "sync daemon backup on eth0 id 7 group 224.0.0.81 port 8848 ttl 1 length 1472");
}

TEST(Globals, UnsetValuesAreTheDefaults) {
  EXPECT_TRUE(satisfies(running(kMaster), kMaster));
  auto other = running(kMaster);
  other.maxLength = 8972;
  EXPECT_TRUE(satisfies(other, kMaster)) << "an MTU of 9000";
  other = running(kMaster);
  other.ttl = 2;
  EXPECT_FALSE(satisfies(other, kMaster));
  other = running(kMaster);
  other.port = 8849;
  EXPECT_FALSE(satisfies(other, kMaster));
  other = running(kMaster);
  other.group = address("ff02::81");
  EXPECT_FALSE(satisfies(other, kMaster));
  EXPECT_FALSE(satisfies(running(kBackup), kMaster));
}

TEST(Globals, EverySetValueCounts) {
  const SyncDaemon full{SyncRole::master, "eth0", 7, address("ff02::81"), 9000, 3, 1000};
  EXPECT_TRUE(satisfies(running(full), full));
  const auto differs = [&](auto change) {
    auto wanted = full;
    change(wanted);
    return !satisfies(full, wanted);
  };
  EXPECT_TRUE(differs([](SyncDaemon& daemon) { daemon.interface = "eth1"; }));
  EXPECT_TRUE(differs([](SyncDaemon& daemon) { daemon.id = 8; }));
  EXPECT_TRUE(differs([](SyncDaemon& daemon) { daemon.group = address("ff02::82"); }));
  EXPECT_TRUE(differs([](SyncDaemon& daemon) { daemon.port = 9001; }));
  EXPECT_TRUE(differs([](SyncDaemon& daemon) { daemon.ttl = 4; }));
  EXPECT_TRUE(differs([](SyncDaemon& daemon) { daemon.maxLength = 1001; }));
}

TEST(Globals, LengthsThatTheKernelCutsAreEqual) {
  auto small = kBackup;
  small.maxLength = 500;
  EXPECT_TRUE(satisfies(running(small), small));
  auto large = kMaster;
  large.maxLength = 65535;
  auto cut = running(large);
  cut.maxLength = 65507;
  EXPECT_TRUE(satisfies(cut, large));
}

TEST(PlanGlobals, NothingToDo) {
  const Globals actual{{900, 120, 300}, {running(kMaster), running(kBackup)}};
  EXPECT_THAT(texts(planGlobals(actual, {}, {})), IsEmpty());
  EXPECT_THAT(texts(planGlobals(actual, {{900, {}, {}}, {kBackup, kMaster}}, {})), IsEmpty())
      << "somebody else's, but the same";
}

TEST(PlanGlobals, OnlyTimeoutsThatDifferAreSet) {
  const Globals actual{{900, 120, 300}, {}};
  EXPECT_THAT(texts(planGlobals(actual, {{900, 60, {}}, {}}, {})),
              ElementsAre("set timeouts tcp-fin 60s"));
  EXPECT_THAT(texts(planGlobals({}, {{900, {}, {}}, {}}, {})),
              ElementsAre("problem: the kernel's IPVS has no timeout tcp"));
}

TEST(PlanGlobals, DaemonsAreStoppedBeforeOthersStart) {
  const Globals actual{{900, 120, 300}, {running(kMaster), running(kBackup)}};
  auto moved = kMaster;
  moved.id = 8;
  const Globals wanted{{1, {}, {}}, {moved}};
  EXPECT_THAT(texts(planGlobals(actual, wanted, {SyncRole::master, SyncRole::backup})),
              ElementsAre("set timeouts tcp 1s", "stop sync daemon master",
                          "stop sync daemon backup", "start sync daemon master on eth0 id 8"));
}

TEST(PlanGlobals, OthersDaemonsStay) {
  const Globals actual{{}, {running(kMaster), running(kBackup)}};
  auto moved = kMaster;
  moved.id = 8;
  const auto plan = planGlobals(actual, {{}, {moved}}, {});
  EXPECT_THAT(plan.operations, IsEmpty());
  ASSERT_THAT(plan.problems, SizeIs(1));
  EXPECT_THAT(plan.problems[0].message,
              HasSubstr("sync daemon master on eth0 id 8: somebody else runs sync daemon master on "
                        "eth0 id 7 group"));
  EXPECT_EQ(plan.problems[0].code, EEXIST);
}

TEST(PlanGlobals, EndsWhereItShould) {
  FakeGlobals kernel;
  std::set<SyncRole> owned;
  const auto go = [&](const Globals& wanted) {
    const auto actual = *kernel.dump();
    const auto plan = planGlobals(actual, wanted, owned);
    const auto report = kernel.apply(plan.operations);
    owned = ownedAfter(actual, owned, plan.operations, report);
    return report;
  };
  auto moved = kBackup;
  moved.port = 9000;
  for (const Globals& wanted : {Globals{{60, 30, 10}, {kMaster}}, Globals{{}, {kBackup, kMaster}},
                                Globals{{}, {moved}}, Globals{{60, {}, {}}, {}}}) {
    EXPECT_THAT(go(wanted).failures, IsEmpty());
    EXPECT_THAT(planGlobals(kernel.state, wanted, owned).operations, IsEmpty());
    EXPECT_THAT(kernel.state.daemons, SizeIs(wanted.daemons.size()));
    EXPECT_THAT(owned, SizeIs(wanted.daemons.size()));
  }
  kernel.mixedFamilies = true;
  EXPECT_THAT(go({{}, {kMaster}}).failures, SizeIs(1));
  EXPECT_THAT(owned, IsEmpty());
}

TEST(OwnedAfter, WhatIsUnknownIsOurs) {
  const std::vector<GlobalsOperation> operations{{StopDaemon{SyncRole::backup}},
                                                 {StartDaemon{kMaster}}};
  const Globals actual{{}, {running(kBackup)}};
  const std::set<SyncRole> ours{SyncRole::backup};
  EXPECT_THAT(ownedAfter(actual, ours, operations, {2, {}, false}), ElementsAre(SyncRole::master));
  const std::vector<OperationFailure> failures{{0, {"", ETIMEDOUT}}, {1, {"", ETIMEDOUT}}};
  EXPECT_THAT(ownedAfter(actual, ours, operations, {0, failures, true}),
              ElementsAre(SyncRole::master, SyncRole::backup));
  EXPECT_THAT(ownedAfter(actual, ours, operations, {0, failures, false}),
              ElementsAre(SyncRole::backup));
  EXPECT_THAT(ownedAfter({}, ours, {}, {}), IsEmpty()) << "somebody else stopped it";
}

}  // namespace
}  // namespace l4ward::ipvs
