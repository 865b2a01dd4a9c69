// The agent's --netns with a kernel that has IPVS.
#include "base/netns.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>

#include <cerrno>

#include "base/unique_fd.h"
#include "tests/ipvs/own_network.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class Netns : public RealKernel {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(RealKernel::SetUp());
    home_ = UniqueFd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    shell("ip netns add blue");
  }
  void TearDown() override {
    ASSERT_EQ(::setns(home_.get(), CLONE_NEWNET), 0);
    shell("ip netns del blue");
  }

 private:
  UniqueFd home_;
};

TEST_F(Netns, IpvsIsProgrammedInTheNamespaceThatWasEntered) {
  const auto web = tcp("198.51.100.1:80");
  const auto entered = enterNetns("blue");
  ASSERT_TRUE(entered) << entered.error().message;
  auto blue = NetlinkKernel::open();
  ASSERT_TRUE(blue) << blue.error().message;
  const Operation operation{web, AddService{}};
  EXPECT_THAT((*blue)->apply({&operation, 1}).failures, IsEmpty());
  EXPECT_THAT(*kernel->dump(), IsEmpty()) << "its socket is of the namespace before";
  EXPECT_TRUE((*blue)->dump()->contains(web));
  shell("ip netns exec blue ipvsadm -Ln | grep -q 198.51.100.1:80");
  shell("ipvsadm -Ln | grep -q 198.51.100.1:80");  // children follow
}

TEST_F(Netns, LeftoversAreNoNamespace) {
  shell("touch /run/netns/empty");
  const auto entered = enterNetns("empty");
  shell("rm /run/netns/empty");
  ASSERT_FALSE(entered);
  EXPECT_EQ(entered.error().code, EINVAL);
  EXPECT_THAT(entered.error().message, HasSubstr("/run/netns/empty is no network namespace"));
}

}  // namespace
}  // namespace l4ward::ipvs
