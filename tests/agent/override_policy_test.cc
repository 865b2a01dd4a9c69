#include "agent/override_policy.h"

#include <gtest/gtest.h>

#include "tests/agent/availability_fixture.h"

namespace l4ward::agent {
namespace {

using control::Action;

control::Subject subject(std::string_view text) {
  return control::Subject::parse(text).value();
}

class OverridePolicy : public ControllerAvailability {
 protected:
  std::string problem(const std::string& text) const {
    const auto known = checkSubject(loaded, subject(text));
    return known ? "" : known.error().message;
  }
  // The pool that would be left without a healthy server.
  std::string left(const Life& life, std::string_view text) const {
    return life.controller.poolLeftWithout(subject(text)).value_or("");
  }

  config::Site loaded = siteOf(yaml("backup_pool: reserve") +
                               "  dns: { vips: [2001:db8::1, 198.51.100.8/29], ports: [53], "
                               "pool: edge }\n");
};

TEST_F(OverridePolicy, KnowsWhatIsInTheSite) {
  for (const char* text :
       {"node", "vip 198.51.100.1", "vip 2001:db8::1", "vip 198.51.100.8/29", "service web",
        "server lb7-1", "server edge/lb7-1", "server reserve/r-2"}) {
    EXPECT_EQ(problem(text), "") << text;
  }
}

TEST_F(OverridePolicy, SaysWhatMayHaveBeenMeant) {
  struct Case {
    const char* subject;
    const char* text;
  };
  for (const auto& [text, expected] :
       {Case{"service wev", "no service 'wev' (did you mean 'web'?)"},
        Case{"server lb7-11", "no server 'lb7-11' (did you mean 'lb7-1'?)"},
        Case{"server edge/r-1", "pool 'edge' has no server 'r-1'"},
        Case{"server edg/lb7-1", "no pool 'edg' (did you mean 'edge'?)"},
        Case{"vip 198.51.100.9", "the range is 198.51.100.8/29"},
        Case{"vip 2001:db8::2", "no virtual IP '2001:db8::2' (did you mean '2001:db8::1'?)"},
        Case{"service zzzzzzzzzz", "no service 'zzzzzzzzzz'"}}) {
    EXPECT_NE(problem(text).find(expected), std::string::npos) << problem(text);
  }
}

TEST_F(OverridePolicy, FindsThePoolThatWouldBeLeftWithoutAHealthyServer) {
  auto life = servingLife(yaml("backup_pool: reserve"));
  EXPECT_EQ(left(*life, "server lb7-1"), "");
  fail(*life, kServers[0]);
  EXPECT_EQ(left(*life, "server lb7-2"), "");
  fail(*life, kServers[1]);
  EXPECT_EQ(left(*life, "server lb7-3"), "edge");
  EXPECT_EQ(left(*life, "server edge/lb7-3"), "edge");
  for (const char* other : {"server reserve/lb7-3", "server lb7-1", "server lb7-9", "server r-1",
                            "node", "vip 198.51.100.1", "service web"}) {
    EXPECT_EQ(left(*life, other), "") << other;
  }
  fail(*life, kBackups[1]);
  EXPECT_EQ(left(*life, "server r-1"), "reserve");
  fail(*life, kServers[2]);
  EXPECT_EQ(left(*life, "server lb7-3"), "");  // it has none that could be lost
}

TEST_F(OverridePolicy, AServerThatIsOutIsNoHealthyOne) {
  auto life = servingLife(yaml("quorum: 1"));
  control::Overrides overrides;
  for (const char* server : {"server lb7-1", "server edge/lb7-2"}) {
    ASSERT_TRUE(overrides.set({subject(server), Action::drain, "anna", "", 0, 0, false}));
  }
  life->controller.setOverrides(overrides);
  EXPECT_EQ(left(*life, "server lb7-3"), "edge");
  EXPECT_EQ(left(*life, "server lb7-2"), "");  // is out already
  overrides.clear(subject("server lb7-1"));
  life->controller.setOverrides(overrides);
  EXPECT_EQ(left(*life, "server lb7-3"), "");
}

TEST_F(OverridePolicy, Describes) {
  control::Override override{subject("node"), Action::drain, "anna", "kernel update", 0, 0, false};
  EXPECT_EQ(control::describe(override), "drained by anna: kernel update");
  override.action = Action::disable;
  override.reason.clear();
  EXPECT_EQ(control::describe(override), "disabled by anna");
}

}  // namespace
}  // namespace l4ward::agent
