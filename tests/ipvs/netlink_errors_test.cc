#include "ipvs/netlink_errors.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

const ServiceKey kWeb = tcp("198.51.100.1:80");

template <typename What>
std::string message(What what, int code, std::string_view explanation = "") {
  const auto error = operationError({kWeb, what}, code, explanation);
  EXPECT_EQ(error.code, code);
  return error.message;
}

TEST(NetlinkErrors, SayWhatToDo) {
  EXPECT_THAT(message(AddService{}, ENOENT),
              EndsWith("scheduler mh is not in the kernel: run 'modprobe ip_vs_mh'"));
  EXPECT_THAT(message(EditService{}, ENOENT), HasSubstr("modprobe ip_vs_mh"));
  EXPECT_THAT(message(EditService{}, EINVAL), HasSubstr("slots"));
  EXPECT_THAT(message(AddService{}, EEXIST), EndsWith("the service already exists"));
  EXPECT_THAT(message(AddService{}, EAFNOSUPPORT), EndsWith("no IPv6"));
  EXPECT_THAT(message(DeleteService{}, ESRCH), EndsWith("the service does not exist"));
  EXPECT_THAT(message(DeleteService{}, EPERM), EndsWith("needs CAP_NET_ADMIN"));
  EXPECT_THAT(message(DeleteDestination{server(1)}, ENOENT), EndsWith("server does not exist"));
  EXPECT_THAT(message(AddDestination{server(1), kIpip, 1}, EINVAL), HasSubstr("unicast"));
}

TEST(NetlinkErrors, OtherwiseTheErrnoAndTheKernelsWords) {
  EXPECT_EQ(message(DeleteService{}, ENOMEM),
            "tcp 198.51.100.1:80: delete service: Cannot allocate memory");
  EXPECT_THAT(message(AddService{}, EINVAL, "bad flags"), EndsWith(" (kernel: bad flags)"));
}

TEST(NetlinkErrors, Channel) {
  EXPECT_EQ(channelError({"x", ENOENT}).message,
            "IPVS is not in the kernel: run 'modprobe -a ip_vs ip_vs_mh'");
  EXPECT_THAT(channelError({"x", EPERM}).message, HasSubstr("CAP_NET_ADMIN"));
  EXPECT_EQ(channelError({"x", EIO}).message, "x");
}

}  // namespace
}  // namespace l4ward::ipvs
