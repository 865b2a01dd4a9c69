#include "agent/override_files.h"

#include <sys/stat.h>

#include "tests/agent/override_directory.h"

namespace l4ward::agent {
namespace {

using control::Action;

class OverrideFilesTest : public OverrideDirectory {
 protected:
  // "drain node: the reason", one for each; "same" if there is nothing new.
  std::vector<std::string> look(const std::string& name = "d") {
    const auto found = files.look(path(name));
    if (!found) return {"same"};
    std::vector<std::string> out;
    for (const auto& one : *found) {
      out.push_back(std::string(toString(one.action)) + " " + one.subject.str() + ": " +
                    one.reason);
    }
    return out;
  }
  using Texts = std::vector<std::string>;

  OverrideFiles files;
};

TEST(OverrideFileName, SaysActionAndSubject) {
  struct Case {
    const char* name;
    Action action;
    const char* subject;
  };
  for (const auto& [name, action, subject] :
       {Case{"drain:node", Action::drain, "node"}, Case{"disable:node", Action::disable, "node"},
        Case{"disable:vip:198.51.100.1", Action::disable, "vip 198.51.100.1"},
        Case{"drain:vip:2001:db8::1", Action::drain, "vip 2001:db8::1"},
        Case{"drain:vip:198.51.100.0_29", Action::drain, "vip 198.51.100.0/29"},
        Case{"drain:service:web", Action::drain, "service web"},
        Case{"drain:service:a_b", Action::drain, "service a_b"},
        Case{"drain:server:lb7-1", Action::drain, "server lb7-1"},
        Case{"disable:server:edge:lb7-1", Action::disable, "server edge/lb7-1"}}) {
    const auto override = overrideOfFileName(name);
    ASSERT_TRUE(override) << override.error().message;
    EXPECT_EQ(override->action, action) << name;
    EXPECT_EQ(override->subject.str(), subject);
  }
}

TEST(OverrideFileName, OthersSayNothing) {
  for (const char* name : {"",
                           ":",
                           "drain",
                           "drain:",
                           "enable:node",
                           "drain:node:",
                           "drain:node:x",
                           "drain:node~",
                           "Drain:node",
                           "drain:vip",
                           "drain:vip:",
                           "drain:vip:x",
                           "drain:service:",
                           "drain:server:",
                           "drain:server::a",
                           "drain:server:a:",
                           "drain:server:a:b:c",
                           "drain:service:a:b",
                           "drain:service web",
                           "drain::node",
                           "drain:service:a b",
                           "drain:server:a/b/c"}) {
    EXPECT_FALSE(overrideOfFileName(name)) << name;
  }
}

TEST_F(OverrideFilesTest, AFileIsAnOverrideAndItsFirstLineTheReason) {
  write("d/drain:node", "kernel\tupdate \x1b[2J\nby night\n");
  write("d/disable:service:web");
  EXPECT_EQ(look(), (Texts{"disable service web: ", "drain node: kernel update [2J"}));
  const auto all = OverrideFiles().look(path("d")).value();
  EXPECT_EQ(all[1].by, path("d/drain:node"));
  EXPECT_TRUE(all[1].fromFile);
  EXPECT_EQ(all[1].until, 0);
  struct stat status {};
  ASSERT_EQ(::stat(path("d/drain:node").c_str(), &status), 0);
  EXPECT_EQ(all[1].since, static_cast<double>(status.st_mtime));
}

TEST_F(OverrideFilesTest, LongReasonsAreCut) {
  write("d/drain:node", std::string(100'000, 'x'));
  EXPECT_EQ(files.look(path("d"))->at(0).reason, std::string(control::kMaxReason, 'x'));
}

TEST_F(OverrideFilesTest, OnlyNewsAreReported) {
  EXPECT_EQ(look(), Texts{});  // the first look
  EXPECT_EQ(look(), Texts{"same"});
  write("d/drain:node");
  EXPECT_EQ(look(), Texts{"drain node: "});
  EXPECT_EQ(look(), Texts{"same"});
  write("d/drain:node", "why");
  EXPECT_EQ(look(), Texts{"drain node: why"});
  write("d/new", "other");
  std::filesystem::rename(path("d/new"), path("d/drain:node"));
  EXPECT_EQ(look(), Texts{"drain node: other"});
  remove("d/drain:node");
  EXPECT_EQ(look(), Texts{});
}

TEST_F(OverrideFilesTest, TheDirectoryMayComeAndGo) {
  EXPECT_EQ(look(), Texts{});
  write("d/drain:node");
  EXPECT_EQ(look(), Texts{"drain node: "});
  remove("d");
  EXPECT_EQ(look(), Texts{});
  write("d", "a file");
  EXPECT_EQ(look(), Texts{"same"});
  EXPECT_EQ(files.look(""), std::vector<control::Override>{});  // another directory: none
}

TEST_F(OverrideFilesTest, WhatSaysNothingIsLoggedOnce) {
  write("d/drain:nodes");
  write("d/.drain:node.swp");
  std::filesystem::create_directories(path("d/drain:node"));
  ASSERT_EQ(::mkfifo(path("d/disable:node").c_str(), 0600), 0);
  std::filesystem::create_symlink(path("none"), path("d/drain:service:web"));
  testing::internal::CaptureStderr();
  EXPECT_EQ(look(), Texts{});
  write("d/drain:service:alt");
  EXPECT_EQ(look(), Texts{"drain service alt: "});
  const auto log = testing::internal::GetCapturedStderr();
  std::size_t lines = 0;
  for (auto at = log.find("override.file_ignored"); at != log.npos;
       at = log.find("override.file_ignored", at + 1)) {
    ++lines;
  }
  EXPECT_EQ(lines, 3U) << log;
}

TEST_F(OverrideFilesTest, AreBounded) {
  for (std::size_t i = 0; i < kMaxOverrideFiles + 5; ++i) {
    write("d/drain:service:s" + std::to_string(i));
  }
  EXPECT_EQ(look().size(), kMaxOverrideFiles);
}

}  // namespace
}  // namespace l4ward::agent
