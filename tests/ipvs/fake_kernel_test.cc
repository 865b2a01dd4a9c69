#include "tests/ipvs/fake_kernel.h"

#include <gmock/gmock.h>

#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

const ServiceKey kWeb = tcp("198.51.100.1:80");

class Fake : public testing::Test {
 protected:
  // The errno of one operation.
  template <typename What>
  int run(What what) {
    const Operation operation{kWeb, what};
    const auto report = kernel.apply({&operation, 1});
    return report.failures.empty() ? 0 : report.failures[0].error.code;
  }
  FakeKernel kernel;
};

TEST_F(Fake, ErrorsAsTheKernel) {
  EXPECT_EQ(run(EditService{}), ESRCH);
  EXPECT_EQ(run(DeleteService{}), ESRCH);
  EXPECT_EQ(run(AddDestination{server(1), kIpip, 1}), ESRCH);
  EXPECT_EQ(run(EditDestination{server(1), kIpip, 1}), ESRCH);
  EXPECT_EQ(run(DeleteDestination{server(1)}), ESRCH);
  EXPECT_EQ(run(AddService{{"nosuch", 0, 0}}), ENOENT);
  EXPECT_EQ(run(AddService{}), 0);
  EXPECT_EQ(run(AddService{}), EEXIST);
  EXPECT_EQ(run(EditService{{"nosuch", 0, 0}}), ENOENT);
  EXPECT_EQ(run(EditDestination{server(1), kIpip, 1}), ENOENT);
  EXPECT_EQ(run(DeleteDestination{server(1)}), ENOENT);
  EXPECT_EQ(run(AddDestination{server(1), kIpip, 1}), 0);
  EXPECT_EQ(run(AddDestination{server(1), kIpip, 1}), EEXIST);
  EXPECT_EQ(run(AddDestination{endpoint("[2001:db8::1]:80"), kDirect, 1}), EINVAL);
  EXPECT_EQ(run(AddDestination{server(2), {Forward::tunnel, {TunnelType::gue, 0, 0}}, 1}), EINVAL);
  EXPECT_EQ(run(AddDestination{server(2), kIpip, 0x80000000}), ERANGE);
  EXPECT_EQ(run(AddDestination{endpoint("224.0.0.1:80"), kIpip, 1}), EINVAL);
}

TEST_F(Fake, AddsAtTheHead) {
  run(AddService{});
  run(AddDestination{server(1), kIpip, 1});
  run(AddDestination{server(2), kIpip, 1});
  EXPECT_EQ(kernel.dump()->at(kWeb).destinations[0].address, server(2));
}

TEST_F(Fake, KeepsTheLastWeight) {
  run(AddService{});
  run(AddDestination{server(1), kIpip, 0});
  EXPECT_EQ(kernel.lastWeight(kWeb, server(1)), 0U);
  EXPECT_EQ(kernel.serverFor(kWeb, endpoint("203.0.113.1:1")), std::nullopt);
  run(EditDestination{server(1), kIpip, 3});
  run(EditDestination{server(1), kIpip, 0});
  EXPECT_EQ(kernel.lastWeight(kWeb, server(1)), 3U);
  EXPECT_EQ(kernel.lastWeight(kWeb, server(2)), std::nullopt);
}

TEST_F(Fake, TakesFlowsBackFromTheTrash) {
  run(AddService{});
  run(AddDestination{server(1), kIpip, 3});
  kernel.setConnections(kWeb, server(1), 4, 5);
  run(DeleteService{});
  run(AddService{});
  run(AddDestination{server(1), kIpip, 0});
  EXPECT_EQ(kernel.dump()->at(kWeb).destinations[0].inactiveConnections, 5U);
  EXPECT_EQ(kernel.lastWeight(kWeb, server(1)), 0U);
}

TEST_F(Fake, MaglevRefusesMoreServersThanSlotsOnlyWhenItIsSet) {
  kernel.tableSize = 251;
  run(AddService{{"none", 0, 0}});
  for (unsigned i = 1; i <= 252; ++i) EXPECT_EQ(run(AddDestination{server(i), kIpip, 1}), 0);
  EXPECT_EQ(run(EditService{}), EINVAL);
  EXPECT_EQ(run(DeleteDestination{server(1)}), 0);
  EXPECT_EQ(run(EditService{}), 0);
}

TEST_F(Fake, InjectsErrors) {
  kernel.failure = [](std::size_t count, const Operation&) { return count == 1 ? ENOMEM : 0; };
  EXPECT_EQ(run(AddService{}), 0);
  EXPECT_EQ(run(AddDestination{server(1), kIpip, 1}), ENOMEM);
  EXPECT_EQ(kernel.operations(), 2U);
  kernel.dumpFailure = Error{"no", EIO};
  EXPECT_FALSE(kernel.dump());
  EXPECT_TRUE(kernel.dump());
  EXPECT_EQ(kernel.dumps(), 2U);
  kernel.breakAfter = 0;
  EXPECT_EQ(run(DeleteService{}), ETIMEDOUT);
}

}  // namespace
}  // namespace l4ward::ipvs
