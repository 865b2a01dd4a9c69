#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "tests/base/temporary_folder.h"

namespace l4ward {
namespace {

class File : public testing::Test, protected TemporaryFolder {};

TEST_F(File, ReadsBackWhatItWrote) {
  const std::string content("a\0b\n", 4);
  ASSERT_TRUE(replaceFile(path("f"), content));
  EXPECT_EQ(readFile(path("f"), 100).value(), content);
  ASSERT_TRUE(replaceFile(path("f"), ""));
  EXPECT_EQ(readFile(path("f"), 100).value(), "");
}

TEST_F(File, ReadsBackWhatItWroteDurably) {
  ASSERT_TRUE(replaceFileDurably(path("f"), "old"));
  ASSERT_TRUE(replaceFileDurably(path("f"), "new"));
  EXPECT_EQ(readFile(path("f"), 100).value(), "new");
  EXPECT_EQ(replaceFileDurably(path("no/such/folder"), "x").error().code, ENOENT);
}

TEST_F(File, LeavesNoTemporary) {
  ASSERT_TRUE(replaceFile(path("f"), "x"));
  ASSERT_TRUE(replaceFileDurably(path("f"), "x"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder()), {}), 1);
}

TEST_F(File, LeavesNoTemporaryWhenItFails) {
  std::filesystem::create_directory(path("d"));
  EXPECT_FALSE(replaceFile(path("d"), "x"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder()), {}), 1);
}

TEST_F(File, HasTheModeAskedFor) {
  struct stat status {};
  ASSERT_TRUE(replaceFile(path("f"), "x", 0600));
  ASSERT_EQ(::stat(path("f").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  ASSERT_TRUE(replaceFile(path("f"), "x", 0644));
  ASSERT_EQ(::stat(path("f").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644U);
}

TEST_F(File, BoundsWhatItReads) {
  ASSERT_TRUE(replaceFile(path("f"), std::string(100'000, 'x')));
  EXPECT_EQ(readFile(path("f"), 100'000).value().size(), 100'000U);
  EXPECT_EQ(readFile(path("f"), 99'999).error().code, EFBIG);
}

TEST_F(File, ErrorsNameTheFileAndCarryErrno) {
  const auto missing = readFile(path("none"), 10);
  EXPECT_EQ(missing.error().code, ENOENT);
  EXPECT_NE(missing.error().message.find(path("none")), std::string::npos);
  EXPECT_EQ(readFile(folder(), 10).error().code, EISDIR);
  EXPECT_EQ(replaceFile(path("no/such/folder"), "x").error().code, ENOENT);
}

}  // namespace
}  // namespace l4ward
