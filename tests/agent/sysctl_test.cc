#include "agent/sysctl.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"

namespace l4ward {
namespace {

using testing::IsEmpty;

TEST(SysctlPath, ReadsNamesAsSysctlDoes) {
  EXPECT_EQ(sysctlPath("net.ipv4.ip_forward"), "net/ipv4/ip_forward");
  EXPECT_EQ(sysctlPath("net.ipv4.conf.eth0/100.rp_filter"), "net/ipv4/conf/eth0.100/rp_filter");
  EXPECT_EQ(sysctlPath("net/ipv4/conf/eth0.100/rp_filter"), "net/ipv4/conf/eth0.100/rp_filter");
  EXPECT_EQ(sysctlPath("single"), "single");
}

TEST(SysctlPath, StaysBelowItsRoot) {
  for (const auto* name : {"", ".", "/etc/passwd", "net..ipv4", "net/../x", "net/./x", "..", "a.",
                           "net.//.x", "net/..", ".a"}) {
    EXPECT_FALSE(sysctlPath(name)) << name;
  }
  EXPECT_FALSE(sysctlPath(std::string("a\0b", 3)));
}

class Sysctl : public testing::Test {
 protected:
  void SetUp() override {
    root = testing::TempDir() + "l4ward-sysctl-" + std::to_string(::getpid());
    std::filesystem::create_directories(root + "/net");
    put("a", "1\n");
    put("range", "1000\t2000\n");
  }
  void TearDown() override { std::filesystem::remove_all(root); }
  void put(const std::string& name, const std::string& value) {
    std::ofstream(root + "/net/" + name) << value;
  }
  std::string root;
};

TEST_F(Sysctl, ReadsWithOneBlankBetweenWords) {
  EXPECT_EQ(readSysctl("net.range", root), "1000 2000");
  EXPECT_EQ(readSysctl("net.gone", root).error().code, ENOENT);
}

TEST_F(Sysctl, WritesOnlyWhatDiffers) {
  EXPECT_THAT(applySysctls({{"net.a", "1"}, {"net.range", " 1000 2000 "}}, root), IsEmpty());
  EXPECT_EQ(*readFile(root + "/net/range", 100), "1000\t2000\n") << "was written";
  const auto changes = applySysctls({{"net.a", "2"}, {"net.range", "1000 2000"}}, root);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].name, "net.a");
  EXPECT_EQ(changes[0].before, "1");
  EXPECT_EQ(changes[0].after, "2");
  EXPECT_FALSE(changes[0].error);
}

TEST_F(Sysctl, ComparingWritesNothing) {
  const auto changes = compareSysctls({{"net.a", "2"}, {"net.range", "1000 2000"}}, root);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].before, "1");
  EXPECT_EQ(changes[0].after, "2");
  EXPECT_EQ(*readFile(root + "/net/a", 100), "1\n");
}

TEST_F(Sysctl, ErrorsAreReportedAndTheOthersDone) {
  const auto changes = applySysctls({{"net..x", "1"}, {"net.a", "7"}, {"net.nosuch", "1"}}, root);
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_TRUE(changes[0].error);
  EXPECT_FALSE(changes[1].error);
  EXPECT_EQ(changes[2].error->code, ENOENT);
}

}  // namespace
}  // namespace l4ward
