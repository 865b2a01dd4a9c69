#include "agent/removal.h"

#include <gmock/gmock.h>

#include "tests/agent/controller_fixture.h"

namespace l4ward::agent {
namespace {

using testing::IsEmpty;

// What an agent has built, and what is somebody else's.
class RemovalTest : public ControllerTest {
 protected:
  void SetUp() override {
    ipvs::ServiceConfig config;
    config.scheduler = "rr";
    kernel.apply(std::vector<ipvs::Operation>{{foreign, ipvs::AddService{config}}});
    interfaces.held["lo"].insert(host("192.0.2.200"));
    servingLife(site("1 2 3", "web alt"));
  }
  Result<Removed> remove() {
    return removeOwned({kernel, globals, interfaces,
                        [this](const std::string& name) {
                          dummies.push_back(name);
                          return dummyLeft;
                        },
                        [this](const std::string& name, const ipvs::ChangedSysctl& change) {
                          restored[name] = change.before;
                          return Status{};
                        }},
                       memory);
  }

  const ipvs::ServiceKey foreign = tcp("203.0.113.1:80");
  ipvs::FakeGlobals globals;
  std::vector<std::string> dummies;
  std::map<std::string, std::string> restored;
  Status dummyLeft;
};

TEST_F(RemovalTest, TakesWhatIsOursAndNothingElse) {
  ASSERT_TRUE(ownsAnything(memory.value));
  const auto removed = remove();
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->services, 2U);
  EXPECT_EQ(removed->addresses, 2U);
  EXPECT_TRUE(removed->complete);
  EXPECT_FALSE(ownsAnything(memory.value));
  const auto left = kernel.dump().value();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_TRUE(left.contains(foreign));
  EXPECT_EQ(interfaces.held["lo"], std::set<Prefix>{host("192.0.2.200")});
  EXPECT_THAT(dummies, IsEmpty()) << "no agent made an interface";
}

TEST_F(RemovalTest, AgainHasNothingToDo) {
  ASSERT_TRUE(remove());
  const auto before = writes();
  const auto again = remove();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->services + again->addresses + again->interfaces, 0U);
  EXPECT_EQ(writes(), before);
}

TEST_F(RemovalTest, ServicesThatAreGoneAlreadyAreNoFailure) {
  kernel.apply(std::vector<ipvs::Operation>{{web, ipvs::DeleteService{}}});
  const auto removed = remove();
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->services, 1U);
  EXPECT_TRUE(removed->complete);
}

TEST_F(RemovalTest, WhatTheKernelKeepsStaysOnRecord) {
  kernel.failure = [this](std::size_t, const ipvs::Operation& operation) {
    return operation.service == web ? EBUSY : 0;
  };
  const auto removed = remove();
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->services, 1U);
  EXPECT_FALSE(removed->complete);
  ASSERT_EQ(memory.value.owned.size(), 1U);
  kernel.failure = {};
  EXPECT_TRUE(remove()->complete) << "the next attempt finds it";
}

TEST_F(RemovalTest, ATableThatCannotBeReadIsAnErrorAndNothingChanges) {
  const auto before = memory.value;
  kernel.dumpFailure = Error{"no answer", ETIMEDOUT};
  EXPECT_FALSE(remove());
  EXPECT_EQ(memory.value, before);
  EXPECT_EQ(interfaces.held["lo"].size(), 3U);
}

TEST_F(RemovalTest, InterfacesAndDaemonsOfOurs) {
  memory.value.interfaces = {"vip0"};
  memory.value.syncDaemons = {ipvs::SyncRole::master};
  globals.state.daemons = {{.role = ipvs::SyncRole::master, .interface = "eth0"},
                           {.role = ipvs::SyncRole::backup, .interface = "eth0"}};
  const auto removed = remove();
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->interfaces, 1U);
  EXPECT_EQ(dummies, std::vector<std::string>{"vip0"});
  ASSERT_EQ(globals.state.daemons.size(), 1U);
  EXPECT_EQ(globals.state.daemons[0].role, ipvs::SyncRole::backup) << "somebody else's";
  EXPECT_TRUE(removed->complete);
}

TEST_F(RemovalTest, KernelSettingsAreAsTheyWere) {
  memory.value.sysctls["net.ipv4.vs.sloppy_tcp"] = {"0", "1"};
  const auto removed = remove();
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->sysctls, 1U);
  EXPECT_EQ(restored, (std::map<std::string, std::string>{{"net.ipv4.vs.sloppy_tcp", "0"}}));
  EXPECT_TRUE(removed->complete);
}

TEST_F(RemovalTest, AnInterfaceThatAnAgentMadeIsOnRecord) {
  interfaces.missing = {"vip0"};
  servingLife("interface: vip0\n" + site());
  EXPECT_TRUE(interfaces.held["vip0"].contains(host("198.51.100.1")));
  EXPECT_EQ(memory.value.interfaces, std::set<std::string>{"vip0"});
  ASSERT_TRUE(remove());
  EXPECT_EQ(dummies, std::vector<std::string>{"vip0"});
}

TEST_F(RemovalTest, AnInterfaceThatStaysIsToldOf) {
  memory.value.interfaces = {"vip0"};
  dummyLeft = fail("it is not a dummy");
  const auto removed = remove();
  ASSERT_TRUE(removed);
  EXPECT_FALSE(removed->complete);
  EXPECT_EQ(memory.value.interfaces, std::set<std::string>{"vip0"});
}

}  // namespace
}  // namespace l4ward::agent
