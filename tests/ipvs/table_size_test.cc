#include "ipvs/table_size.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <limits>

#include "ipvs/maglev.h"
#include "tests/ipvs/fake_kernel.h"

namespace l4ward::ipvs {
namespace {

using testing::HasSubstr;

constexpr auto kNever = TimePoint::max();

TEST(TableSizeFromConfig, EveryIndex) {
  unsigned index = 8;
  for (const auto size : kMaglevSizes) {
    const auto text = "CONFIG_IP_VS=m\nCONFIG_IP_VS_MH_TAB_INDEX=" + std::to_string(index++);
    EXPECT_EQ(tableSizeFromConfig(text + "\nCONFIG_IP_VS_FTP=m\n").value_or(0), size);
    EXPECT_EQ(tableSizeFromConfig(text).value_or(0), size);
    EXPECT_EQ(tableSizeFromConfig(text + "\r\n").value_or(0), size);
  }
}

TEST(TableSizeFromConfig, WhatIsNoSize) {
  for (const auto* value : {"7", "18", "", "-12", "12x", " 12", "99999999999999999999", "0xc"}) {
    const auto size = tableSizeFromConfig(std::string("CONFIG_IP_VS_MH_TAB_INDEX=") + value + "\n");
    ASSERT_FALSE(size) << value;
    EXPECT_THAT(size.error().message, HasSubstr("8 to 17"));
  }
}

TEST(TableSizeFromConfig, WithoutTheOption) {
  for (const auto* text : {"", "\n", "\n\n\n", "CONFIG_IP_VS=m", "# CONFIG_IP_VS_MH_TAB_INDEX=12\n",
                           "XCONFIG_IP_VS_MH_TAB_INDEX=12\n", "CONFIG_IP_VS_SH_TAB_BITS=12\n"}) {
    const auto size = tableSizeFromConfig(text);
    ASSERT_FALSE(size) << text;
    EXPECT_THAT(size.error().message, HasSubstr("not set"));
  }
}

class TableSizeFiles : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(directory_); }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string plain(const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name) << text;
    return directory_ / name;
  }
  std::string packed(const std::string& name, const std::string& text) {
    const std::string path = directory_ / name;
    const auto file = ::gzopen(path.c_str(), "w");
    ::gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    ::gzclose(file);
    return path;
  }
  std::string missing() { return directory_ / "missing"; }

  const std::filesystem::path directory_ =
      std::filesystem::path(testing::TempDir()) / ("table_size." + std::to_string(::getpid()));
};

TEST_F(TableSizeFiles, TheFirstThatIsThere) {
  const auto first = plain("first", "CONFIG_IP_VS_MH_TAB_INDEX=8\n");
  const auto second = plain("second", "CONFIG_IP_VS_MH_TAB_INDEX=9\n");
  const auto size = tableSizeByConfiguration({missing(), first, second});
  ASSERT_TRUE(size) << size.error().message;
  EXPECT_EQ(size->slots, 251U);
  EXPECT_EQ(size->source, first);
}

TEST_F(TableSizeFiles, Packed) {
  const auto path =
      packed("config.gz", std::string(300000, '#') + "\nCONFIG_IP_VS_MH_TAB_INDEX=17\n");
  const auto size = tableSizeByConfiguration({path});
  ASSERT_TRUE(size) << size.error().message;
  EXPECT_EQ(size->slots, 131071U);
}

TEST_F(TableSizeFiles, PackedAndCutOff) {
  const auto path = packed("config.gz", "CONFIG_IP_VS_MH_TAB_INDEX=17\n");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 9);
  EXPECT_FALSE(tableSizeByConfiguration({path}));
}

TEST_F(TableSizeFiles, ReadsNoFurtherThanItsLimit) {
  const auto path =
      packed("config.gz", std::string(5U << 20, '\n') + "CONFIG_IP_VS_MH_TAB_INDEX=17\n");
  EXPECT_FALSE(tableSizeByConfiguration({path}));
}

TEST_F(TableSizeFiles, NoneThere) {
  const auto size = tableSizeByConfiguration({missing(), directory_});
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().code, ENOENT);
  EXPECT_FALSE(tableSizeByConfiguration({}));
}

TEST_F(TableSizeFiles, AConfigurationWithoutMaglev) {
  const auto size = tableSizeByConfiguration({plain("config", "CONFIG_NET=y\n")});
  ASSERT_FALSE(size);
  EXPECT_THAT(size.error().message, HasSubstr("config: CONFIG_IP_VS_MH_TAB_INDEX is not set"));
}

TEST(TableSizeByBehaviour, EverySizeOfTheInMemoryKernel) {
  for (const auto size : kMaglevSizes) {
    if (size > 8191) break;  // the in-memory kernel's list is slow
    FakeKernel kernel;
    kernel.tableSize = size;
    EXPECT_EQ(tableSizeByBehaviour(kernel, kNever).value_or(0), size);
  }
}

TEST(TableSizeByBehaviour, AKernelWithoutMaglev) {
  FakeKernel kernel;
  kernel.schedulers.erase("mh");
  const auto size = tableSizeByBehaviour(kernel, kNever);
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().code, ENOENT);
}

TEST(TableSizeByBehaviour, AnotherErrorIsNoAnswer) {
  FakeKernel kernel;
  kernel.failure = [](std::size_t count, const Operation&) { return count > 300 ? ENOMEM : 0; };
  const auto size = tableSizeByBehaviour(kernel, kNever);
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().code, ENOMEM);
}

TEST(TableSizeByBehaviour, TheDeadline) {
  FakeKernel kernel;
  const auto size = tableSizeByBehaviour(kernel, Clock::now());
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().code, ETIMEDOUT);
}

}  // namespace
}  // namespace l4ward::ipvs
