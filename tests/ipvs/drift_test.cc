#include "ipvs/drift.h"

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

// A kernel with two services of three servers, in which somebody does something.
class DriftTest : public testing::Test {
 protected:
  void SetUp() override {
    Node{kernel}.program({{kWeb, pool(3)}, {kTls, pool(3)}});
    left = *kernel.dump();
  }
  template <typename What>
  void somebody(What what) {
    const Operation operation{kWeb, what};
    ASSERT_THAT(kernel.apply({&operation, 1}).failures, IsEmpty());
  }
  std::vector<std::string> drifts(const std::set<ServiceKey>& ours = {kWeb, kTls}) {
    std::vector<std::string> lines;
    for (const auto& [service, what] : driftOf(left, *kernel.dump(), ours)) {
      EXPECT_EQ(service, kWeb);
      lines.push_back(what);
    }
    return lines;
  }

  FakeKernel kernel;
  ActualTable left;
};

TEST_F(DriftTest, NothingHappened) {
  kernel.setConnections(kWeb, server(1), 5);
  EXPECT_THAT(drifts(), IsEmpty());
}

TEST_F(DriftTest, ServiceGone) {
  somebody(DeleteService{});
  EXPECT_THAT(drifts(), ElementsAre("gone"));
  EXPECT_THAT(drifts({kTls}), IsEmpty()) << "not ours";
}

TEST_F(DriftTest, ServiceEdited) {
  somebody(EditService{{"rr", 0}});
  EXPECT_THAT(drifts(),
              ElementsAre("has scheduler rr, not scheduler mh flags mh-fallback,mh-port"));
}

TEST_F(DriftTest, ServerEdited) {
  somebody(EditDestination{server(2), kDirect, 5, {9, 3}});
  EXPECT_THAT(drifts(), ElementsAre("192.0.2.2:80 has weight 5, not 1",
                                    "192.0.2.2:80 is reached by direct, not tunnel ipip",
                                    "192.0.2.2:80 has thresholds 3-9, not no thresholds"));
}

TEST_F(DriftTest, ServersComeAndGo) {
  somebody(DeleteDestination{server(1)});
  somebody(AddDestination{server(7), kIpip, 1});
  EXPECT_THAT(drifts(), ElementsAre("192.0.2.1:80 is gone", "192.0.2.7:80 was added"));
}

TEST_F(DriftTest, OrderChanged) {
  somebody(DeleteDestination{server(3)});
  somebody(AddDestination{server(3), kIpip, 1});
  EXPECT_THAT(drifts(), ElementsAre("the servers' order changed"));
}

TEST_F(DriftTest, NewServicesAreNoDrift) {
  const Operation operation{tcp("198.51.100.1:8080"), AddService{}};
  kernel.apply({&operation, 1});
  EXPECT_THAT(drifts({operation.service}), IsEmpty());
}

}  // namespace
}  // namespace l4ward::ipvs
