// l4wardctl's client and the agent's server: they mean the same.
#include "control/ctl/answers.h"
#include "control/ctl/client.h"
#include "tests/control/frontend_fixture.h"

namespace l4ward::control::testing {
namespace {

Event event(const std::string& id) {
  Event made;
  made.id = id;
  return made;
}

TEST_F(FrontendTest, EventsForACtlThatFollows) {
  start();
  frontend_->add(event("one"));
  frontend_->add(event("two"));
  auto ctl = ctl::Client::connect({.path = path()});
  ASSERT_TRUE(ctl);
  const auto past = ctl->ask(EventsRequest{});
  ASSERT_TRUE(past) << past.error().message;
  ASSERT_EQ(ctl::readEvents(*past).size(), 2U);
  frontend_->add(event("between"));
  ASSERT_FALSE(ctl->follow(ctl::readEvents(*past).back().number));
  for (const auto* id : {"between", "after"}) {
    if (id == std::string("after")) frontend_->add(event(id));
    const auto next = ctl->next();
    ASSERT_TRUE(next) << next.error().message;
    ASSERT_EQ(ctl::readEvents(*next).size(), 1U);
    EXPECT_EQ(ctl::readEvents(*next)[0].id, id);
  }
}

}  // namespace
}  // namespace l4ward::control::testing
