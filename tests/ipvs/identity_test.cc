#include "ipvs/identity.h"

#include <gmock/gmock.h>

namespace l4ward::ipvs {
namespace {

TEST(Identity, NamesBootAndNamespace) {
  const auto identity = kernelIdentity();
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_THAT(*identity, testing::MatchesRegex("[0-9a-f-]+ net:[0-9]+"));
  EXPECT_EQ(kernelIdentity(), identity);
}

}  // namespace
}  // namespace l4ward::ipvs
