#include "agent/gdnsd_extfile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/file.h"
#include "tests/base/temporary_folder.h"

namespace l4ward::agent {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

control::NodeStatus node(const std::vector<control::Vip>& vips) {
  control::NodeStatus status;
  status.relay.configured = true;
  status.vips = vips;
  return status;
}

control::Vip vip(const std::string& prefix, const std::string& state) {
  control::Vip out;
  out.prefix = prefix;
  out.state = state;
  return out;
}

TEST(GdnsdExtfile, OnlyWhatIsAnnouncedIsUp) {
  EXPECT_THAT(
      gdnsdExtfile(node({vip("198.51.100.1/32", "announced"), vip("2001:db8::1/128", "announced"),
                         vip("198.51.100.2/32", "withdrawn"), vip("198.51.100.3/32", "draining"),
                         vip("198.51.100.4/32", "last-resort"),
                         vip("198.51.100.5/32", "not-announced"), vip("198.51.100.6/32", "")})),
      EndsWith("\n198.51.100.1 => UP\n2001:db8::1 => UP\n198.51.100.2 => DOWN\n"
               "198.51.100.3 => DOWN\n198.51.100.4 => DOWN\n198.51.100.5 => DOWN\n"
               "198.51.100.6 => DOWN\n"));
}

TEST(GdnsdExtfile, WithoutBgpWhatServesIsUp) {
  auto status = node({vip("198.51.100.1/32", "not-announced")});
  status.relay.configured = false;
  status.node.phase = "running";
  status.vips[0].services = {"web"};
  control::Service service;
  service.name = "web";
  service.vips = {"198.51.100.1/32"};
  service.programmed = service.quorum = true;
  status.services = {service};
  EXPECT_THAT(gdnsdExtfile(status), EndsWith("198.51.100.1 => UP\n"));
  status.services[0].quorum = false;
  EXPECT_THAT(gdnsdExtfile(status), EndsWith("198.51.100.1 => DOWN\n"));
}

TEST(GdnsdExtfile, LeavesOutWhatIsNoAddress) {
  const auto text =
      gdnsdExtfile(node({vip("198.51.100.0/28", "announced"), vip("x => UP", "announced")}));
  EXPECT_THAT(text, Not(HasSubstr("=>")));
}

TEST(GdnsdExtfile, AllDown) {
  const auto text =
      gdnsdExtfile(node({vip("198.51.100.1/32", "announced"), vip("198.51.100.2/32", "withdrawn"),
                         vip("198.51.100.3/32", "announced")}));
  EXPECT_THAT(allDown(text), EndsWith("198.51.100.1 => DOWN\n198.51.100.2 => DOWN\n"
                                      "198.51.100.3 => DOWN\n"));
}

class GdnsdExtfileFile : public testing::Test, protected TemporaryFolder {
 protected:
  std::string path(const std::string& name = "vips") const { return TemporaryFolder::path(name); }
  std::string text(const std::string& name = "vips") const {
    return readFile(path(name), 10000).value_or("none");
  }
  ino_t inode() const {
    struct stat status {};
    EXPECT_EQ(::stat(path().c_str(), &status), 0);
    return status.st_ino;
  }

  const std::string up = gdnsdExtfile(node({vip("198.51.100.1/32", "announced")}));
  const std::string down = gdnsdExtfile(node({vip("198.51.100.1/32", "withdrawn")}));
  GdnsdExtfile file_;
};

TEST_F(GdnsdExtfileFile, IsReadableByAll) {
  file_.setPath(path());
  file_.update(up);
  struct stat status {};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644U);
}

TEST_F(GdnsdExtfileFile, IsReplacedOnlyWhenSomethingChanged) {
  file_.setPath(path());
  file_.update(up);
  const auto first = inode();
  std::filesystem::create_hard_link(path(), path("first"));  // keeps the inode's number taken
  file_.update(up);
  EXPECT_EQ(inode(), first);
  file_.update(down);
  EXPECT_NE(inode(), first);
  EXPECT_THAT(text(), HasSubstr("DOWN"));
  EXPECT_THAT(text("first"), HasSubstr("UP"));
}

TEST_F(GdnsdExtfileFile, StaysAsAnEarlierAgentLeftItIfThatIsRight) {
  ASSERT_TRUE(replaceFile(path(), up));
  const auto first = inode();
  file_.setPath(path());
  file_.update(up);
  EXPECT_EQ(inode(), first);
}

TEST_F(GdnsdExtfileFile, StopsWithEverythingDown) {
  file_.setPath(path());
  file_.setAllDown();
  EXPECT_EQ(text(), "none");
  file_.update(up);
  file_.setAllDown();
  EXPECT_EQ(text(), down);
}

TEST_F(GdnsdExtfileFile, MovesAndGoes) {
  file_.setPath(path());
  file_.update(up);
  file_.setPath(path("other"));
  EXPECT_EQ(text(), "none");
  file_.update(up);
  EXPECT_THAT(text("other"), HasSubstr("UP"));
  file_.setPath("");
  file_.update(up);
  EXPECT_EQ(text("other"), "none");
}

TEST_F(GdnsdExtfileFile, IsTriedAgainWhenItCouldNotBeWritten) {
  file_.setPath(path("d/vips"));
  file_.update(up);
  std::filesystem::create_directory(path("d"));
  file_.update(up);
  EXPECT_THAT(text("d/vips"), HasSubstr("UP"));
}

}  // namespace
}  // namespace l4ward::agent
