#include "base/netns.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace l4ward {
namespace {

TEST(Netns, NamesAreThoseOfFiles) {
  for (const char* name : {"blue", "a.b", "...", "-x", "with space", "é"}) {
    EXPECT_TRUE(isNetnsName(name)) << name;
  }
  EXPECT_TRUE(isNetnsName(std::string(255, 'x')));
  for (const char* name : {"", ".", "..", "a/b", "/run/netns/blue", "../blue"}) {
    EXPECT_FALSE(isNetnsName(name)) << name;
  }
  EXPECT_FALSE(isNetnsName(std::string(256, 'x')));
  EXPECT_FALSE(isNetnsName(std::string_view("a\0b", 3)));
}

TEST(Netns, ErrorsSayWhatToDo) {
  const auto missing = enterNetns("no-such-namespace");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ENOENT);
  EXPECT_EQ(missing.error().message,
            "no network namespace 'no-such-namespace' (/run/netns/no-such-namespace): 'ip netns' "
            "lists them");
  EXPECT_EQ(enterNetns("a/b").error().code, EINVAL);
}

}  // namespace
}  // namespace l4ward
