#include "control/override.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace l4ward::control {
namespace {

using Kind = Subject::Kind;
using testing::HasSubstr;

Subject subject(std::string_view text) {
  return Subject::parse(text).value();
}

Override override_(std::string_view what, Action action = Action::drain, double until = 0) {
  return {subject(what), action, "anna", "kernel update", 1000, until, false};
}

Override file(std::string_view what, Action action = Action::drain) {
  return {subject(what), action, "/etc/l4ward/overrides/x", "by a tool", 1000, 0, true};
}

TEST(Subject, IsReadBackAsItIsWritten) {
  for (const Subject& given :
       {Subject{}, Subject{Kind::vip, "198.51.100.1", ""}, Subject{Kind::vip, "2001:db8::1", ""},
        Subject{Kind::vip, "198.51.100.0/29", ""}, Subject{Kind::service, "web", ""},
        Subject{Kind::server, "lb7-1", ""}, Subject{Kind::server, "lb7-1", "edge"}}) {
    EXPECT_EQ(Subject::parse(given.str()), given) << given.str();
  }
}

TEST(Subject, AVirtualIpHasOneForm) {
  EXPECT_EQ(subject("vip 198.51.100.1/32"), subject("vip 198.51.100.1"));
  EXPECT_EQ(subject("vip 2001:DB8:0::1"), subject("vip 2001:db8::1"));
}

TEST(Subject, SaysWhatItExpected) {
  for (const char* text :
       {"", "nodes", "node ", "vip", "vip ", "vip 198.51.100.256", "vip 198.51.100.1/24", "service",
        "service a b", "service a/b", "server ", "server /a", "server a/", "server a/b/c",
        "server a\nb", "Server a", "pool edge"}) {
    const auto parsed = Subject::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr("'")) << text;  // names what it found
  }
  EXPECT_FALSE(Subject::parse("service " + std::string(65, 'a')));
}

TEST(Action, IsReadBackAsItIsWritten) {
  for (const auto action : {Action::drain, Action::disable}) {
    EXPECT_EQ(parseAction(toString(action)), action);
  }
  EXPECT_THAT(parseAction("enable").error().message, HasSubstr("drain or disable"));
}

TEST(Overrides, TheLaterCommandCounts) {
  Overrides overrides;
  ASSERT_TRUE(overrides.set(override_("service web", Action::disable)));
  ASSERT_TRUE(overrides.set(override_("service web", Action::drain)));
  ASSERT_EQ(overrides.all().size(), 1U);
  EXPECT_EQ(overrides.find(subject("service web"))->action, Action::drain);
  EXPECT_TRUE(overrides.clear(subject("service web")));
  EXPECT_FALSE(overrides.clear(subject("service web")));
  EXPECT_EQ(overrides.find(subject("service web")), nullptr);
}

TEST(Overrides, OfCommandAndFileTheStrongerCounts) {
  Overrides overrides;
  ASSERT_TRUE(overrides.set(override_("node", Action::drain)));
  EXPECT_TRUE(overrides.setFiles({file("node", Action::disable)}));
  EXPECT_EQ(overrides.all().size(), 2U);
  EXPECT_EQ(overrides.find(subject("node"))->action, Action::disable);
  EXPECT_TRUE(overrides.setFiles({}));
  EXPECT_EQ(overrides.find(subject("node"))->action, Action::drain);
  ASSERT_TRUE(overrides.set(override_("node", Action::disable)));
  EXPECT_TRUE(overrides.setFiles({file("node", Action::drain)}));
  EXPECT_FALSE(overrides.find(subject("node"))->fromFile);
}

TEST(Overrides, FilesAreNewsOnlyWhenTheyDiffer) {
  Overrides overrides;
  EXPECT_FALSE(overrides.setFiles({}));
  EXPECT_TRUE(overrides.setFiles({file("node"), file("service web")}));
  EXPECT_FALSE(overrides.setFiles({file("service web"), file("node")}));
  EXPECT_TRUE(overrides.setFiles({file("service web"), file("node", Action::disable)}));
}

TEST(Overrides, OfTwoFilesOfOneSubjectTheStrongerCountsInEitherOrder) {
  const auto weak = file("node", Action::drain);
  const auto strong = file("node", Action::disable);
  Overrides a, b;
  a.setFiles({weak, strong});
  b.setFiles({strong, weak});
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.find(subject("node"))->action, Action::disable);
}

TEST(Overrides, ACommandCannotTakeAFileBack) {
  Overrides overrides;
  overrides.setFiles({file("node")});
  EXPECT_FALSE(overrides.clear(subject("node")));
  EXPECT_NE(overrides.find(subject("node")), nullptr);
}

TEST(Overrides, AServerIsMeantInOnePoolOrEverywhere) {
  Overrides overrides;
  ASSERT_TRUE(overrides.set(override_("server edge/lb7-1")));
  EXPECT_NE(overrides.ofServer("edge", "lb7-1"), nullptr);
  EXPECT_EQ(overrides.ofServer("other", "lb7-1"), nullptr);
  EXPECT_EQ(overrides.ofServer("edge", "lb7-2"), nullptr);
  ASSERT_TRUE(overrides.set(override_("server lb7-1", Action::disable)));
  EXPECT_EQ(overrides.ofServer("edge", "lb7-1")->action, Action::disable);
  EXPECT_EQ(overrides.ofServer("other", "lb7-1")->action, Action::disable);
}

TEST(Overrides, ExpireOnTimeAndOnce) {
  Overrides overrides;
  EXPECT_EQ(overrides.nextExpiry(), std::nullopt);
  ASSERT_TRUE(overrides.set(override_("node")));
  EXPECT_EQ(overrides.nextExpiry(), std::nullopt);
  ASSERT_TRUE(overrides.set(override_("service web", Action::drain, 3000)));
  ASSERT_TRUE(overrides.set(override_("service alt", Action::drain, 2000)));
  EXPECT_EQ(overrides.nextExpiry(), 2000);
  EXPECT_TRUE(overrides.expire(1999.9).empty());
  const auto over = overrides.expire(2000);
  ASSERT_EQ(over.size(), 1U);
  EXPECT_EQ(over[0].subject, subject("service alt"));
  EXPECT_TRUE(overrides.expire(2000).empty());
  EXPECT_EQ(overrides.nextExpiry(), 3000);
}

TEST(Overrides, AreBounded) {
  Overrides overrides;
  const auto one = [](std::size_t i) { return override_("service s" + std::to_string(i)); };
  for (std::size_t i = 0; i < kMaxOverrides; ++i) ASSERT_TRUE(overrides.set(one(i)));
  EXPECT_FALSE(overrides.set(one(kMaxOverrides)));
  EXPECT_TRUE(overrides.set(one(0)));  // that is there already
}

TEST(Overrides, TakeOnlyWhatIsFitForALineOfText) {
  for (const auto& reason :
       {std::string(kMaxReason + 1, 'a'), std::string("a\nb"), std::string("a\x1b[2J"),
        std::string("\xff"), std::string("a\0b", 3), std::string("\xc2\x9b")}) {
    Overrides overrides;
    auto given = override_("node");
    given.reason = reason;
    EXPECT_FALSE(overrides.set(given)) << reason;
    EXPECT_TRUE(overrides.all().empty());
  }
  Overrides overrides;
  auto given = override_("node");
  given.reason = "Wartung f\xc3\xbcr \"alle\"";
  EXPECT_TRUE(overrides.set(given));
}

TEST(OverridesRecord, IsReadBackWithoutFiles) {
  Overrides overrides;
  ASSERT_TRUE(overrides.set(override_("node", Action::disable, 12345678901.25)));
  ASSERT_TRUE(overrides.set(override_("server edge/lb7-1")));
  ASSERT_TRUE(overrides.set(override_("vip 2001:db8::1")));
  auto with = overrides;
  with.setFiles({file("service web")});
  EXPECT_EQ(Overrides::decode(with.encode()), overrides);
  EXPECT_EQ(Overrides::decode(Overrides().encode()), Overrides());
}

TEST(OverridesRecord, TheLargestOneIsReadBack) {
  Overrides overrides;
  const std::string name(58, 'n');
  for (std::size_t i = 0; i < kMaxOverrides; ++i) {
    auto one = override_("server " + std::string(64, 'p') + "/" + name + std::to_string(100000 + i),
                         Action::disable, 1234567890.123456);
    one.since = 1234567890.123456;
    one.by = std::string(64, '"');
    one.reason = std::string(kMaxReason, '"');
    ASSERT_TRUE(overrides.set(one));
  }
  const auto text = overrides.encode();
  EXPECT_LE(text.size(), kMaxOverridesBytes);
  EXPECT_EQ(Overrides::decode(text), overrides);
}

TEST(OverridesRecord, WhatIsDamagedIsRefused) {
  const std::string good = [] {
    Overrides overrides;
    EXPECT_TRUE(overrides.set(override_("node")));
    return overrides.encode();
  }();
  for (std::size_t length = 0; length + 2 < good.size(); ++length) {
    EXPECT_FALSE(Overrides::decode(good.substr(0, length))) << length;
  }
  for (const char* text :
       {"[]", "null", "{}", R"({"version":1})", R"({"version":2,"overrides":[]})",
        R"({"version":"1","overrides":[]})", R"({"version":1,"overrides":{}})",
        R"({"version":1,"overrides":[1]})", R"({"version":1,"overrides":[{}]})",
        R"({"version":1,"overrides":[{"subject":"nod","action":"drain"}]})",
        R"({"version":1,"overrides":[{"subject":"node","action":"enable"}]})",
        R"({"version":1,"overrides":[{"subject":"node","action":"drain","until":"x"}]})",
        R"({"version":1,"overrides":[{"subject":"node","action":"drain","until":-1}]})",
        R"({"version":1,"overrides":[{"subject":"node","action":"drain","until":1e999}]})",
        R"({"version":1,"overrides":[{"subject":"node","action":"drain","reason":"a\u001b"}]})"}) {
    EXPECT_FALSE(Overrides::decode(text)) << text;
  }
  EXPECT_FALSE(Overrides::decode(std::string(kMaxOverridesBytes + 1, ' ')));
}

}  // namespace
}  // namespace l4ward::control
