#include "tests/ipvs/own_network.h"

#include <sched.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace l4ward::ipvs {

void OwnNetwork::SetUp() {
  ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << std::strerror(errno) << " (root only)";
  shell("ip link set lo up");
}

void OwnNetwork::shell(const std::string& command) {
  EXPECT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT(cert-env33-c)
}

void RealKernel::SetUp() {
  ASSERT_NO_FATAL_FAILURE(OwnNetwork::SetUp());
  auto opened = NetlinkKernel::open();
  ASSERT_TRUE(opened) << opened.error().message;
  kernel = *std::move(opened);
}

}  // namespace l4ward::ipvs
