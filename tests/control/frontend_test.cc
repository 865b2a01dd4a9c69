// The control socket, by real clients.
#include <gmock/gmock.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <list>

#include "control/request.h"
#include "tests/control/frontend_fixture.h"

namespace l4ward::control::testing {
namespace {

using ::testing::HasSubstr;

constexpr auto kStatus = "{\"command\":\"status\"}\n";
constexpr auto kVersion = "{\"command\":\"version\"}\n";
constexpr auto kFollow = "{\"command\":\"events\",\"follow\":true}\n";

Event event(const std::string& id, const std::string& text = "") {
  Event made;
  made.id = id;
  made.fields = {{"text", text}};
  return made;
}

std::string codeOf(const std::string& line) {
  const auto reply = parseReply(line);
  return reply ? "ok" : reply.error().code;
}

TEST_F(FrontendTest, OneRequestAfterTheOther) {
  auto status = std::make_shared<NodeStatus>();
  status->node.name = "lb4-1";
  backend_.answer = status;
  start();
  auto peer = client();
  peer.send(std::string(kStatus) + "\n  \r\n{\"command\":\"nonsense\"}\n" + kVersion);
  const auto reply = parseReply(peer.line());
  ASSERT_TRUE(reply);
  EXPECT_EQ((*reply)["node"]["name"], "lb4-1");
  EXPECT_EQ(codeOf(peer.line()), "bad-request");
  EXPECT_EQ(codeOf(peer.line()), "ok");
  EXPECT_EQ(backend_.lastPeer.pid, ::getpid());
  EXPECT_EQ(backend_.lastPeer.uid, ::getuid());
  EXPECT_FALSE(backend_.lastPeer.user.empty());
}

TEST_F(FrontendTest, BytesOneByOne) {
  start();
  auto peer = client();
  for (const char c : std::string(kVersion)) peer.send({&c, 1});
  EXPECT_EQ(codeOf(peer.line()), "ok");
}

TEST_F(FrontendTest, HalfClosedClientGetsItsAnswers) {
  start();
  auto peer = client();
  peer.send(std::string(kVersion) + "{\"command\":\"version\"}");  // and no end of line
  peer.endSending();
  EXPECT_EQ(codeOf(peer.line()), "ok");
  EXPECT_EQ(codeOf(peer.line()), "ok");
  EXPECT_TRUE(peer.closedWithin());
}

TEST_F(FrontendTest, OneStatusForAllWhoAskAtTheSameTime) {
  backend_.silent = true;
  start();
  std::list<Client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(client());
    clients.back().send(kStatus);
  }
  // An answer shows that its predecessors' requests were read: they were all accepted before.
  ASSERT_TRUE(until([&] { return backend_.asked == 1; }));
  auto last = client();
  last.send("{}\n");
  ASSERT_EQ(codeOf(last.line()), "bad-request");
  EXPECT_EQ(backend_.asked, 1);
  backend_.silent = false;
  backend_.release();
  for (auto& peer : clients) EXPECT_EQ(codeOf(peer.line()), "ok");
  EXPECT_LE(backend_.asked, 2);
}

TEST_F(FrontendTest, SilentAgent) {
  backend_.silent = true;
  start({.patience = Millis(200)});
  auto first = client(), second = client();
  first.send(kStatus);
  second.send(kVersion);
  EXPECT_EQ(codeOf(first.line()), "timeout");
  EXPECT_EQ(codeOf(second.line()), "timeout");
  backend_.silent = false;
  backend_.release();  // far too late for them
  first.send(kStatus);
  EXPECT_EQ(codeOf(first.line()), "ok");
}

TEST_F(FrontendTest, AnswersThatComeWhenTheServerIsGone) {
  backend_.silent = true;
  start();
  auto first = client(), second = client();
  first.send(kStatus);
  second.send(kVersion);
  ASSERT_TRUE(until([&] { return backend_.asked == 1 && backend_.handled == 1; }));
  frontend_.reset();
  EXPECT_TRUE(first.closedWithin());
  backend_.release();
}

TEST_F(FrontendTest, GarbageAndGiantLines) {
  start();
  auto garbage = client();
  garbage.send(std::string("\0\xff\x1b{{{", 6) + "\n");
  EXPECT_EQ(codeOf(garbage.line()), "bad-request");
  auto deep = client();
  deep.send(std::string(10000, '[') + "\n");
  EXPECT_EQ(codeOf(deep.line()), "bad-request");
  auto giant = client();
  giant.send(std::string(8 << 20, 'x'), Millis(3000));
  EXPECT_EQ(codeOf(giant.line()), "too-long");
  EXPECT_TRUE(giant.closedWithin());
  auto plan = client();
  plan.send("{\"command\":\"plan\",\"text\":\"" + std::string(4 << 20, 'x') + "\"}\n");
  EXPECT_EQ(codeOf(plan.line()), "ok");
}

TEST_F(FrontendTest, WhoStopsInMidRequestIsDisconnected) {
  start({.patience = Millis(100)});
  auto silent = client(), slow = client();
  EXPECT_TRUE(silent.closedWithin());
  slow.send("{");
  const auto begin = Clock::now();
  // A byte now and then does not help.
  bool closed = false;
  while (!closed && Clock::now() - begin < kLong) {
    slow.send(" ", Millis(10));
    closed = slow.closedWithin(Millis(20));
  }
  EXPECT_TRUE(closed);
}

TEST_F(FrontendTest, WhoDoesNotReadIsDisconnectedAndHindersNobody) {
  constexpr std::size_t kSize = 1 << 20;  // more than a socket's buffers hold
  auto status = std::make_shared<NodeStatus>();
  status->node.siteFile = std::string(kSize, 'x');
  backend_.answer = status;
  start({.patience = Millis(1000)});
  auto stuck = client(), other = client();
  stuck.send(kStatus);
  other.send(kVersion);
  EXPECT_EQ(codeOf(other.line()), "ok");
  ASSERT_TRUE(until([&] {
    auto probe = client();
    probe.send(kVersion);
    EXPECT_EQ(codeOf(probe.line()), "ok");
    return stuck.isHungUp();
  }));
  EXPECT_LT(stuck.rest().size(), kSize);
}

TEST_F(FrontendTest, TooManyClients) {
  start({.maxClients = 4});
  std::list<Client> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(client());
    clients.back().send(kVersion);
    EXPECT_EQ(codeOf(clients.back().line()), "ok");
  }
  auto refused = client();
  EXPECT_EQ(codeOf(refused.line()), "busy");
  EXPECT_TRUE(refused.closedWithin());
  clients.clear();
  EXPECT_TRUE(until([&] {
    auto next = client();
    next.send(kVersion);
    return codeOf(next.line()) == "ok";
  }));
}

TEST_F(FrontendTest, EventsOfThePastAndToCome) {
  start();
  frontend_->add(event("one"));
  frontend_->add(event("two"));
  auto past = client();
  past.send("{\"command\":\"events\",\"after\":1}\n");
  const auto reply = parseReply(past.line());
  ASSERT_TRUE(reply);
  ASSERT_EQ((*reply)["events"].size(), 1U);
  EXPECT_EQ((*reply)["events"][0]["id"], "two");
  EXPECT_EQ((*reply)["last"], 2);

  auto follower = client();
  follower.send(kFollow);
  EXPECT_THAT(follower.line(), HasSubstr("\"one\""));
  EXPECT_THAT(follower.line(), HasSubstr("\"two\""));
  frontend_->add(event("three"));
  const auto line = nlohmann::json::parse(follower.line());
  EXPECT_EQ(line["version"], 1);
  EXPECT_EQ(line["event"]["id"], "three");
  EXPECT_EQ(line["event"]["number"], 3);
  follower.endSending();
  frontend_->add(event("four"));
  EXPECT_THAT(follower.line(), HasSubstr("\"four\""));
}

// Its place is needed, and no event tells that it is gone.
TEST_F(FrontendTest, FollowersThatGoFreeTheirPlace) {
  start({.maxClients = 2});
  frontend_->add(event("one"));
  for (const bool halfClosed : {false, true}) {
    std::list<Client> followers;
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(until([&] {
        auto& peer = followers.emplace_back(client());
        peer.send(kFollow);
        if (halfClosed) peer.endSending();
        if (peer.line().find("\"one\"") != std::string::npos) return true;
        followers.pop_back();
        return false;
      }));
    }
  }
  EXPECT_TRUE(until([&] {
    auto next = client();
    next.send(kVersion);
    return codeOf(next.line()) == "ok";
  }));
}

TEST_F(FrontendTest, AFollowerIsNotIdle) {
  start({.patience = Millis(50)});
  auto follower = client();
  follower.send(kFollow);
  EXPECT_FALSE(follower.closedWithin(Millis(500)));  // idle ones have 300 ms
  frontend_->add(event("one"));
  EXPECT_THAT(follower.line(), HasSubstr("\"one\""));
}

TEST_F(FrontendTest, AFollowerThatDoesNotReadIsDisconnected) {
  start({.patience = Millis(60000)});
  auto stuck = client(), reader = client();
  for (auto* peer : {&stuck, &reader}) {
    peer->send(kFollow);
  }
  const std::string text(1 << 16, 'x');
  for (int i = 0; i < 64; ++i) {
    frontend_->add(event("big", text));
    EXPECT_THAT(reader.line(), HasSubstr("\"big\""));
  }
  EXPECT_LT(stuck.rest().size(), 64 * text.size());
}

TEST_F(FrontendTest, ModeAndGroup) {
  start({.group = "daemon"});
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0660U);
  if (::geteuid() == 0) {
    EXPECT_EQ(info.st_gid, ::getgrnam("daemon")->gr_gid);
  }
  frontend_.reset();
  EXPECT_NE(::stat(path().c_str(), &info), 0);
  start({.group = "no-such-group"});
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_gid, ::getegid());
}

TEST_F(FrontendTest, TheFileOfADeadAgentIsReplaced) {
  start();
  const auto moved = folder() + "/moved";
  ASSERT_EQ(::rename(path().c_str(), moved.c_str()), 0);  // as if it had been killed
  frontend_.reset();
  ASSERT_EQ(::rename(moved.c_str(), path().c_str()), 0);
  start();
  auto peer = client();
  peer.send(kVersion);
  EXPECT_EQ(codeOf(peer.line()), "ok");
}

TEST_F(FrontendTest, WhatIsNotOursIsLeftAlone) {
  start();
  Frontend second({.socketPath = path()}, backend_);
  EXPECT_THAT(second.listen().error().message, HasSubstr("in use by another process"));
  auto peer = client();
  peer.send(kVersion);
  EXPECT_EQ(codeOf(peer.line()), "ok");

  const auto precious = folder() + "/precious";
  std::ofstream(precious) << "precious";
  Frontend third({.socketPath = precious}, backend_);
  EXPECT_THAT(third.listen().error().message, HasSubstr("not a socket"));
  EXPECT_EQ(::access(precious.c_str(), F_OK), 0);
  Frontend fourth({.socketPath = folder() + "/" + std::string(200, 'x')}, backend_);
  EXPECT_THAT(fourth.listen().error().message, HasSubstr("too long"));
}

TEST_F(FrontendTest, NoSocketAtAll) {
  Frontend frontend({}, backend_);
  EXPECT_TRUE(frontend.listen());
}

}  // namespace
}  // namespace l4ward::control::testing
