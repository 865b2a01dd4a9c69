#include "agent/discovery.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/base/temporary_folder.h"

namespace l4ward::agent {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class DiscoveryTest : public testing::Test, protected TemporaryFolder {
 protected:
  void link(const std::string& to, const std::string& name) const {
    fs::create_symlink(to, path("link.new"));
    fs::rename(path("link.new"), path(name));
  }
  // Whether there is a look before long.
  bool looks(Millis within = 5s) {
    const int before = looks_;
    const auto end = Clock::now() + within;
    loop_.restart();
    while (looks_ == before && loop_.run_one_until(end) > 0) {
    }
    return looks_ > before;
  }
  std::function<void()> look() {
    return [this] { ++looks_; };
  }

  asio::io_context loop_;
  int looks_ = 0;
};

TEST_F(DiscoveryTest, LooksSoonAfterAFileWasReplacedMadeOrDeleted) {
  Discovery discovery(loop_, look());
  discovery.watch({path("a")});
  write("a");
  EXPECT_TRUE(looks());
  write("a");
  EXPECT_TRUE(looks());
  fs::remove(path("a"));
  EXPECT_TRUE(looks());
}

TEST_F(DiscoveryTest, LooksIntoDirectories) {
  fs::create_directory(path("d"));
  Discovery discovery(loop_, look());
  discovery.watch({path("d")});
  write("d/a");
  EXPECT_TRUE(looks());
  fs::remove_all(path("d"));
  EXPECT_TRUE(looks());
  discovery.watch({path("d")});
  fs::create_directory(path("d"));
  EXPECT_TRUE(looks());
  discovery.watch({path("d")});
  write("d/a");
  EXPECT_TRUE(looks());
}

// As Kubernetes replaces a ConfigMap: data.yaml -> ..data/data.yaml, ..data -> ..1
TEST_F(DiscoveryTest, LooksWhenALinkIsReplaced) {
  fs::create_directory(path("..1"));
  fs::create_directory(path("..2"));
  write("..1/data.yaml");
  write("..2/data.yaml");
  link("..1", "..data");
  link("..data/data.yaml", "data.yaml");
  Discovery discovery(loop_, look());
  discovery.watch({path("data.yaml")});
  link("..2", "..data");
  EXPECT_TRUE(looks());
}

TEST_F(DiscoveryTest, LooksWhenTheFileThatALinkLeadsToIsReplaced) {
  fs::create_directory(path("far"));
  write("far/real");
  link("far/real", "a");
  Discovery discovery(loop_, look());
  discovery.watch({path("a")});
  write("far/real");
  EXPECT_TRUE(looks());
}

TEST_F(DiscoveryTest, LooksOnceAtWhatChangesTogether) {
  Discovery discovery(loop_, look(), {.quiet = 200ms, .most = 10s, .period = 1h});
  discovery.watch({path("a"), path("b")});
  for (int i = 0; i < 5; ++i) {
    write("a");
    loop_.restart();
    loop_.run_for(10ms);
    write("b");
  }
  EXPECT_TRUE(looks());
  EXPECT_FALSE(looks(300ms));
  EXPECT_EQ(looks_, 1);
}

TEST_F(DiscoveryTest, LooksAlsoWhileChangesDoNotEnd) {
  Discovery discovery(loop_, look(), {.quiet = 1h, .most = 50ms, .period = 1h});
  discovery.watch({path("a")});
  write("a");
  EXPECT_TRUE(looks());
}

TEST_F(DiscoveryTest, LooksFromTimeToTimeWhateverHappens) {
  Discovery discovery(loop_, look(), {.quiet = 1ms, .most = 1ms, .period = 20ms});
  discovery.watch({path("nowhere/to/be/found")});
  EXPECT_TRUE(looks());
  EXPECT_TRUE(looks());
}

TEST_F(DiscoveryTest, NeverLooksWithoutAnythingToLookAt) {
  Discovery discovery(loop_, look(), {.quiet = 1ms, .most = 1ms, .period = 10ms});
  EXPECT_FALSE(looks(50ms));
  discovery.watch({path("a")});
  write("a");
  discovery.watch({});
  EXPECT_FALSE(looks(50ms));
}

}  // namespace
}  // namespace l4ward::agent
