// What the plan promises for any history, in terms of flows and not of lists.
#include <gmock/gmock.h>

#include <set>

#include "ipvs/plan.h"
#include "tests/ipvs/fake_kernel.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

using testing::IsEmpty;

const ServiceKey kWeb = tcp("198.51.100.1:80");
constexpr unsigned kFlows = 2000;

Endpoint client(unsigned number) {
  const std::array<std::uint8_t, 4> bytes{203, 0, 113, static_cast<std::uint8_t>(number % 251)};
  return {*IpAddress::fromBytes(bytes), static_cast<std::uint16_t>(1024 + number)};
}

std::vector<std::optional<Endpoint>> flows(const FakeKernel& kernel) {
  const auto table = kernel.maglev(kWeb);
  std::vector<std::optional<Endpoint>> result;
  for (unsigned i = 0; i < kFlows; ++i) {
    result.push_back(table.serverFor(client(i), kFlagMhFallback | kFlagMhPort));
  }
  return result;
}

// A kernel in which others have worked, too, with some injected failures on the way.
void live(Node& node, FakeKernel& kernel, RandomTables& random) {
  for (unsigned step = random.below(6); step > 0; --step) {
    if (random.chance(0.5)) {
      const auto operation = random.operation();
      kernel.apply({&operation, 1});
      // Others change weights behind our back, which makes the record wrong for what they touched.
      node.lastWeights.clear();
    }
    if (random.chance(0.2)) {
      kernel.failure = [&](std::size_t, const Operation&) { return random.chance(0.2) ? EIO : 0; };
    }
    if (random.chance(0.1)) kernel.breakAfter = random.below(8);
    node.program(random.wanted());
    kernel.failure = nullptr;
    kernel.breakAfter.reset();
    if (random.chance(0.2)) node.lastWeights.clear();  // restarted without its record
  }
}

std::vector<ServiceKey> except(const ActualTable& actual, const WantedTable& wanted) {
  std::vector<ServiceKey> keys;
  for (const auto& [key, service] : actual) {
    if (!wanted.contains(key)) keys.push_back(key);
  }
  return keys;
}

TEST(PlanHistory, EveryHistoryEndsInTheSameTables) {
  for (std::uint32_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    RandomTables random(seed);
    FakeKernel kernels[2];
    Node nodes[2]{{kernels[0]}, {kernels[1]}};
    for (int i = 0; i < 2; ++i) {
      kernels[i].tableSize = 251;
      live(nodes[i], kernels[i], random);
    }
    const auto wanted = random.wanted();
    for (int i = 0; i < 2; ++i) {
      nodes[i].program(wanted, except(*kernels[i].dump(), wanted));
      ASSERT_THAT(nodes[i].report.failures, IsEmpty());
      ASSERT_THAT(texts(nodes[i].program(wanted)), IsEmpty()) << "not idempotent";
    }
    ASSERT_EQ(*kernels[0].dump(), *kernels[1].dump());
    for (const auto& [key, service] : wanted) {
      ASSERT_EQ(kernels[0].maglev(key), kernels[1].maglev(key));
    }
  }
}

TEST(PlanHistory, RecordOfLastWeightsIsTrue) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    RandomTables random(seed);
    FakeKernel kernel;
    Node node{kernel};
    for (int step = 0; step < 8; ++step) {
      if (random.chance(0.3)) {
        kernel.failure = [&](std::size_t, const Operation&) {
          return random.chance(0.3) ? EIO : 0;
        };
      }
      if (random.chance(0.2)) kernel.breakAfter = random.below(10);
      node.program(random.wanted());
      kernel.failure = nullptr;
      kernel.breakAfter.reset();
      for (const auto& [id, weight] : node.lastWeights) {
        ASSERT_EQ(kernel.lastWeight(id.first, id.second), weight) << id.second.str();
      }
    }
  }
}

TEST(PlanHistory, FailureMovesTheServersOwnFlowsOnly) {
  FakeKernel kernel;
  Node node{kernel};
  WantedTable wanted{{kWeb, pool(20)}};
  node.program(wanted);
  const auto before = flows(kernel);
  wanted[kWeb].destinations[server(7)].out = true;
  node.program(wanted);
  const auto during = flows(kernel);
  unsigned moved = 0;
  for (unsigned i = 0; i < kFlows; ++i) {
    ASSERT_NE(during[i], server(7));
    if (before[i] == server(7)) {
      ++moved;
    } else {
      ASSERT_EQ(before[i], during[i]);
    }
  }
  EXPECT_GT(moved, kFlows / 40);
  wanted[kWeb].destinations[server(7)].out = false;
  node.program(wanted);
  EXPECT_EQ(flows(kernel), before);
}

TEST(PlanHistory, RestartWithoutChangeWritesNothing) {
  FakeKernel kernel;
  Node node{kernel};
  WantedTable wanted{{kWeb, pool(50)}};
  wanted[kWeb].destinations[server(3)].out = true;
  node.program(wanted);
  Node restarted{kernel, node.lastWeights};
  EXPECT_THAT(restarted.program(wanted), IsEmpty());
}

// The point of the canonical order: without it the same pool sends flows to different servers.
TEST(PlanHistory, WithoutTheOrderFlowsWouldDiffer) {
  FakeKernel kernels[2];
  for (int i = 0; i < 2; ++i) {
    std::vector<Operation> operations{{kWeb, AddService{}}};
    for (unsigned n = 1; n <= 200; ++n) {
      operations.push_back({kWeb, AddDestination{server(i == 0 ? n : 201 - n), kIpip, 1}});
    }
    kernels[i].apply(operations);
  }
  EXPECT_NE(flows(kernels[0]), flows(kernels[1]));
  for (auto& kernel : kernels) Node{kernel}.program({{kWeb, pool(200)}});
  EXPECT_EQ(flows(kernels[0]), flows(kernels[1]));
}

TEST(PlanHistory, FlowsOfServersThatMoveInTheListSurvive) {
  FakeKernel kernel;
  Node node{kernel};
  WantedTable wanted{{kWeb, pool(3)}};
  node.program(wanted);
  kernel.setConnections(kWeb, server(1), 5, 2);
  wanted[kWeb].destinations[server(4)] = in();
  node.program(wanted);
  EXPECT_EQ(kernel.dump()->at(kWeb).destinations.front().activeConnections, 5U);
}

}  // namespace
}  // namespace l4ward::ipvs
