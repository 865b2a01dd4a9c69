#include <gmock/gmock.h>

#include "ipvs/kernel.h"
#include "ipvs/plan.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

using testing::IsEmpty;

const ServiceKey kWeb = tcp("198.51.100.1:80");

ActualTable holding(std::uint32_t weight) {
  return {{kWeb, {{}, {{server(1), kIpip, weight}}}}};
}
LastWeights known(std::uint32_t weight) {
  return {{{kWeb, server(1)}, weight}};
}
std::vector<Operation> edits(const std::vector<std::uint32_t>& weights) {
  std::vector<Operation> operations;
  for (const auto weight : weights) {
    operations.push_back({kWeb, EditDestination{server(1), kIpip, weight}});
  }
  return operations;
}

TEST(LastWeightsAfter, WithoutOperationsWhatStillHolds) {
  EXPECT_EQ(lastWeightsAfter(holding(0), known(3), {}), known(3));
  EXPECT_THAT(lastWeightsAfter(holding(2), known(3), {}), IsEmpty());
  EXPECT_THAT(lastWeightsAfter({}, known(3), {}), IsEmpty());
}

TEST(LastWeightsAfter, EditsToZeroKeepTheLastWeight) {
  EXPECT_EQ(lastWeightsAfter(holding(5), {}, edits({0})), known(5));
  EXPECT_EQ(lastWeightsAfter(holding(0), {}, edits({4, 0})), known(4));
  EXPECT_EQ(lastWeightsAfter(holding(0), known(2), edits({0})), known(2));
  EXPECT_THAT(lastWeightsAfter(holding(0), {}, edits({0})), IsEmpty());
  EXPECT_THAT(lastWeightsAfter(holding(0), known(2), edits({7})), IsEmpty());
}

TEST(LastWeightsAfter, AddingSetsItAnew) {
  const auto add = [](std::uint32_t weight) {
    return std::vector<Operation>{{kWeb, DeleteDestination{server(1)}},
                                  {kWeb, AddDestination{server(1), kIpip, weight}},
                                  {kWeb, EditDestination{server(1), kIpip, 0}}};
  };
  EXPECT_EQ(lastWeightsAfter(holding(0), known(9), add(6)), known(6));
  EXPECT_THAT(lastWeightsAfter(holding(0), known(9), add(0)), IsEmpty());
}

TEST(LastWeightsAfter, DeletingForgets) {
  const std::vector<Operation> destination{{kWeb, DeleteDestination{server(1)}}};
  const std::vector<Operation> service{{kWeb, DeleteService{}}};
  EXPECT_THAT(lastWeightsAfter(holding(0), known(9), destination), IsEmpty());
  EXPECT_THAT(lastWeightsAfter(holding(0), known(9), service), IsEmpty());
  const std::vector<Operation> others{{kWeb, AddService{}}, {kWeb, EditService{}}};
  EXPECT_EQ(lastWeightsAfter(holding(0), known(9), others), known(9));
}

TEST(LastWeightsAfter, FailedOperationsWereNotDone) {
  ApplyReport report;
  report.failures = {{0, {"no", EIO}}};
  EXPECT_EQ(lastWeightsAfter(holding(5), {}, edits({8, 0}), report), known(5));
}

TEST(LastWeightsAfter, UnknownOperationsAreForgotten) {
  ApplyReport report;
  report.unknown = true;
  EXPECT_THAT(lastWeightsAfter(holding(0), known(9), edits({0}), report), IsEmpty());
  EXPECT_EQ(lastWeightsAfter(holding(0), known(9), {}, report), known(9));
  const std::vector<Operation> service{{kWeb, DeleteService{}}};
  EXPECT_THAT(lastWeightsAfter(holding(0), known(9), service, report), IsEmpty());
}

}  // namespace
}  // namespace l4ward::ipvs
