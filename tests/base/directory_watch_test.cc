#include "base/directory_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/file.h"
#include "tests/base/temporary_folder.h"

namespace l4ward {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
namespace fs = std::filesystem;

class DirectoryWatchTest : public testing::Test, protected TemporaryFolder {
 protected:
  // The names that were heard of until one is `last`, or for 5 s.
  std::vector<std::string> heardUntil(const std::string& last) {
    heard_.clear();
    loop_.restart();
    const auto end = std::chrono::steady_clock::now() + 5s;
    while (std::ranges::find(heard_, last) == heard_.end() && loop_.run_one_until(end) > 0) {
    }
    return heard_;
  }

  DirectoryWatch::Changed listener() {
    return [this](std::string_view name) { heard_.emplace_back(name); };
  }

  asio::io_context loop_;
  std::vector<std::string> heard_;
};

TEST_F(DirectoryWatchTest, HearsOfWhatIsMadeReplacedAndDeleted) {
  DirectoryWatch watch(loop_, listener());
  watch.watch({folder()});
  ASSERT_TRUE(replaceFile(path("a"), "1"));
  EXPECT_THAT(heardUntil("a"), Contains("a"));
  ASSERT_TRUE(replaceFile(path("a"), "2"));
  EXPECT_THAT(heardUntil("a"), Contains("a"));
  fs::remove(path("a"));
  EXPECT_THAT(heardUntil("a"), Contains("a"));
  fs::create_symlink("nowhere", path("b"));
  EXPECT_THAT(heardUntil("b"), Contains("b"));
}

TEST_F(DirectoryWatchTest, HearsOfOneThatGoesAndOfItsSuccessor) {
  DirectoryWatch watch(loop_, listener());
  fs::create_directory(path("d"));
  watch.watch({path("d"), path("not-there")});
  fs::remove(path("d"));
  EXPECT_THAT(heardUntil(""), Contains(""));
  fs::create_directory(path("d"));
  watch.watch({path("d")});
  ASSERT_TRUE(replaceFile(path("d/a"), "1"));
  EXPECT_THAT(heardUntil("a"), Contains("a"));
}

TEST_F(DirectoryWatchTest, ForgetsThoseThatAreNotAskedForAnyMore) {
  DirectoryWatch watch(loop_, listener());
  fs::create_directory(path("d"));
  fs::create_directory(path("e"));
  watch.watch({path("d"), path("e")});
  watch.watch({path("e")});
  ASSERT_TRUE(replaceFile(path("d/a"), "1"));
  ASSERT_TRUE(replaceFile(path("e/b"), "1"));
  EXPECT_THAT(heardUntil("b"), testing::Not(Contains("a")));
}

TEST_F(DirectoryWatchTest, MayEndWhileItSaysSomething) {
  int said = 0;
  std::unique_ptr<DirectoryWatch> watch;
  watch = std::make_unique<DirectoryWatch>(loop_, [&](std::string_view) {
    ++said;
    watch.reset();
  });
  watch->watch({folder()});
  for (const auto* name : {"a", "b", "c"}) ASSERT_TRUE(replaceFile(path(name), "1"));
  loop_.run_for(5s);  // ends early: nothing is left to wait for
  EXPECT_EQ(said, 1);
}

}  // namespace
}  // namespace l4ward
