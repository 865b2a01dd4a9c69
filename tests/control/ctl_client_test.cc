#include "control/ctl/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <fstream>

#include "tests/base/temporary_folder.h"
#include "tests/control/fake_agent.h"

namespace l4ward::ctl {
namespace {

using namespace testing;  // NOLINT: the fake agent
using control::StatusRequest;
using ::testing::HasSubstr;

class ClientTest : public ::testing::Test {
 protected:
  Client::Options options(Millis timeout = Millis{10'000}) const {
    return {folder_.path("control.sock"), timeout, -1};
  }
  control::Reply ask(Answer answer, Millis timeout = Millis{10'000}) const {
    const FakeAgent agent(options().path, std::move(answer));
    return askOnce(options(timeout), StatusRequest{});
  }

  TemporaryFolder folder_;
};

TEST_F(ClientTest, AsksAndReads) {
  std::string asked;
  const auto reply = ask([&](const std::string& line) {
    asked = line;
    return std::string(R"({"version":1,"ok":true,"result":{"a":1}})") + "\n";
  });
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ((*reply)["a"], 1);
  EXPECT_TRUE(control::parseRequest(asked));
}

TEST_F(ClientTest, ALargeAnswerComesWhole) {
  const std::string large(8 << 20, 'x');
  const auto reply =
      ask([&](const std::string&) { return control::encode(control::Reply(large)) + "\n"; });
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->get<std::string>(), large);
}

TEST_F(ClientTest, ALargeRequestGoesWhole) {
  control::PlanRequest plan{"site.yaml", std::string(4 << 20, 'y')};
  std::size_t got = 0;
  const FakeAgent agent(options().path, [&](const std::string& line) {
    got = line.size();
    return control::encode(control::Reply(nlohmann::json("fine"))) + "\n";
  });
  EXPECT_TRUE(askOnce(options(), plan));
  EXPECT_GT(got, plan.text.size());
}

TEST_F(ClientTest, RefusalsOfTheAgentComeThrough) {
  const auto reply = ask([](const std::string&) {
    return control::encode(
               control::Reply(tl::unexpected(control::Refusal{"last-server", "no", "--force"}))) +
           "\n";
  });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, "last-server");
  EXPECT_EQ(reply.error().next, "--force");
  EXPECT_FALSE(isUnreachable(reply.error()));
}

TEST_F(ClientTest, WhatIsNoAnswer) {
  struct Case {
    std::string answer;
    const char* code;
  };
  for (const auto& [answer, code] : {
           Case{"no json\n", kBadReply},
           Case{"{}\n", kBadReply},
           Case{std::string(1, kHangUp), kClosed},
           Case{std::string("{\"version\":1,") + kHangUp, kClosed},
       }) {
    TemporaryFolder folder;
    const FakeAgent agent(folder.path("s"), [&](const std::string&) { return answer; });
    const auto reply = askOnce({folder.path("s"), Millis{10'000}, -1}, StatusRequest{});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, code);
    EXPECT_TRUE(isUnreachable(reply.error()));
  }
}

TEST_F(ClientTest, AnAgentThatDoesNotAnswer) {
  const auto begin = Clock::now();
  const auto reply = ask([](const std::string&) { return ""; }, Millis{200});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, kTimeout);
  EXPECT_THAT(reply.error().message, HasSubstr("200ms"));
  EXPECT_LT(Clock::now() - begin, Millis{5000});
}

TEST_F(ClientTest, AnAnswerThatTricklesHasTheSameDeadline) {
  // Each byte alone would be in time; all of them never are.
  const auto reply =
      ask([](const std::string&) { return std::string("{\"version\":1"); }, Millis{200});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, kTimeout);
}

TEST_F(ClientTest, AnAnswerWithoutEndIsBounded) {
  const auto reply =
      ask([](const std::string&) { return std::string(kMaxAnswer + (1 << 20), 'x') + kHangUp; },
          Millis{60'000});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, kBadReply);
  EXPECT_THAT(reply.error().message, HasSubstr("64 MiB"));
}

TEST_F(ClientTest, NoSocket) {
  const auto reply = askOnce(options(), StatusRequest{});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, kNoSocket);
  EXPECT_THAT(reply.error().message, HasSubstr(options().path));
  EXPECT_FALSE(reply.error().next.empty());
}

TEST_F(ClientTest, ASocketThatNobodyListensOn) {
  // A file that is no socket is refused in the same way (connect(2)).
  std::ofstream(options().path) << "x";
  const auto reply = askOnce(options(), StatusRequest{});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, kNotListening);
  EXPECT_THAT(reply.error().next, HasSubstr("systemctl status l4ward"));
}

TEST_F(ClientTest, NotAllowedSaysWhichGroup) {
  const auto refusal = connectRefusal(options().path, EACCES);
  EXPECT_EQ(refusal.code, kNotAllowed);
  EXPECT_THAT(refusal.message, HasSubstr("is not in group l4ward"));
  EXPECT_THAT(refusal.next, HasSubstr("usermod -aG l4ward "));
}

TEST_F(ClientTest, PathsThatAreNone) {
  for (const auto& path : {std::string(), std::string(200, 'x')}) {
    const auto reply = askOnce({path, Millis{1000}, -1}, StatusRequest{});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, kUnreachable);
  }
}

TEST_F(ClientTest, StopsWhenItIsTold) {
  const UniqueFd stop(::eventfd(1, EFD_CLOEXEC));
  const FakeAgent agent(options().path, [](const std::string&) { return ""; });
  auto asking = options();
  asking.stop = stop.get();
  const auto reply = askOnce(asking, StatusRequest{});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, kInterrupted);
}

TEST_F(ClientTest, EventsThatAreFollowed) {
  std::string asked;
  const FakeAgent agent(options().path, [&](const std::string& line) {
    asked = line;
    return "{\"version\":1,\"event\":{\"number\":2}}\n{\"version\":1,\"event\":{\"number\":3}}\n" +
           control::encode(control::Reply(tl::unexpected(control::Refusal{"busy", "", ""}))) +
           "\n{\n" + kHangUp;
  });
  auto client = Client::connect(options());
  ASSERT_TRUE(client);
  EXPECT_FALSE(client->follow(1));
  EXPECT_EQ(client->next().value()["event"]["number"], 2);
  EXPECT_EQ(asked, control::encode(control::EventsRequest{1, true}));
  EXPECT_EQ(client->next().value()["event"]["number"], 3);
  EXPECT_EQ(client->next().error().code, "busy");
  EXPECT_EQ(client->next().error().code, kBadReply);
  EXPECT_EQ(client->next().error().code, kClosed);
}

}  // namespace
}  // namespace l4ward::ctl
