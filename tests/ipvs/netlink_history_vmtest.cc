// The in-memory kernel against the real one, and the plan's promise on the real one.
#include <gmock/gmock.h>

#include "ipvs/netlink.h"
#include "tests/ipvs/fake_kernel.h"
#include "tests/ipvs/own_network.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

using testing::IsEmpty;

using NetlinkHistory = RealKernel;

std::vector<std::pair<std::size_t, int>> codes(const ApplyReport& report) {
  std::vector<std::pair<std::size_t, int>> result;
  for (const auto& [index, error] : report.failures) result.emplace_back(index, error.code);
  return result;
}

std::vector<ServiceKey> keys(const ActualTable& table) {
  std::vector<ServiceKey> result;
  for (const auto& [key, service] : table) result.push_back(key);
  return result;
}

TEST_F(NetlinkHistory, FakeAndRealKernelDoTheSame) {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    RandomTables random(seed);
    FakeKernel fake;
    Node{*kernel}.program({}, keys(*kernel->dump()));
    std::vector<Operation> operations;
    for (unsigned i = 0; i < 150; ++i) operations.push_back(random.operation());
    const auto real = kernel->apply(operations);
    const auto model = fake.apply(operations);
    ASSERT_EQ(real.applied, model.applied);
    const auto realCodes = codes(real);
    const auto modelCodes = codes(model);
    for (std::size_t i = 0; i < std::min(realCodes.size(), modelCodes.size()); ++i) {
      ASSERT_EQ(realCodes[i], modelCodes[i]) << real.failures[i].error.message;
    }
    ASSERT_EQ(*kernel->dump(), *fake.dump());
  }
}

TEST_F(NetlinkHistory, PlansFromAnyHistoryEndTheSame) {
  FakeKernel fake;
  for (std::uint32_t seed = 1000; seed < 1060; ++seed) {
    SCOPED_TRACE(seed);
    RandomTables random(seed);
    for (int i = 0; i < 30; ++i) {
      const auto operation = random.operation();
      kernel->apply({&operation, 1});
    }
    const auto wanted = random.wanted();
    for (Kernel* each : {static_cast<Kernel*>(kernel.get()), static_cast<Kernel*>(&fake)}) {
      Node node{*each};
      std::vector<ServiceKey> others;
      const auto held = *each->dump();
      for (const auto& [key, service] : held) {
        if (!wanted.contains(key)) others.push_back(key);
      }
      node.program(wanted, others);
      ASSERT_THAT(node.report.failures, IsEmpty());
      ASSERT_THAT(node.program(wanted), IsEmpty());
    }
    ASSERT_EQ(*kernel->dump(), *fake.dump());
  }
}

}  // namespace
}  // namespace l4ward::ipvs
