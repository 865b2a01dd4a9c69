#include "healthcheck/failure.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace l4ward::healthcheck {
namespace {

Probe makeProbe() {
  Probe probe;
  probe.target = Endpoint::parse("192.0.2.1:80").value();
  probe.source = IpAddress::parse("192.0.2.9").value();
  return probe;
}

Judgement atConnect(int code) {
  return judgeSetup(Setup::connect, code, makeProbe());
}

TEST(JudgeSetup, WhatTheKernelRefusesByItselfIsLocal) {
  for (const auto call :
       {Setup::socket, Setup::mark, Setup::bind, Setup::connect, Setup::send, Setup::watch}) {
    for (const int code : {EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES, EPERM, ENODEV, EINVAL,
                           EADDRNOTAVAIL, EAFNOSUPPORT, ENETUNREACH, EHOSTUNREACH, ENOSPC, 9999}) {
      const auto judgement = judgeSetup(call, code, makeProbe());
      EXPECT_EQ(judgement.answer, Answer::localError) << code;
      EXPECT_EQ(judgement.kind, FailureKind::local) << code;
      EXPECT_FALSE(judgement.reason.empty());
    }
  }
}

TEST(JudgeSetup, AnAnswerThatIsAlreadyThereIsTheServers) {
  EXPECT_EQ(atConnect(ECONNREFUSED).kind, FailureKind::refused);
  EXPECT_EQ(atConnect(ECONNREFUSED).answer, Answer::fail);
  EXPECT_EQ(atConnect(ECONNRESET).kind, FailureKind::reset);
  EXPECT_EQ(atConnect(ETIMEDOUT).kind, FailureKind::timeout);
}

TEST(JudgeSetup, SaysWhatToDo) {
  EXPECT_EQ(atConnect(ENETUNREACH).reason, "no route to 192.0.2.1");
  EXPECT_EQ(judgeSetup(Setup::bind, EADDRNOTAVAIL, makeProbe()).reason,
            "cannot bind the source address 192.0.2.9: Cannot assign requested address "
            "(no interface holds this address)");
  EXPECT_EQ(atConnect(EADDRNOTAVAIL).reason,
            "cannot connect from this node: Cannot assign requested address "
            "(no local port is free)");
  EXPECT_EQ(judgeSetup(Setup::socket, EMFILE, makeProbe()).reason,
            "cannot open a socket: Too many open files "
            "(raise the process's limit of open files (LimitNOFILE))");
  EXPECT_EQ(judgeSetup(Setup::mark, EPERM, makeProbe()).reason,
            "no permission to set a packet mark (CAP_NET_ADMIN)");
  EXPECT_EQ(judgeSetup(Setup::send, EHOSTUNREACH, makeProbe()).reason, "no route to 192.0.2.1");
}

TEST(JudgeSetup, OnTheDataPathTheVirtualIpNeedsARoute) {
  auto probe = makeProbe();
  probe.dataPath = DataPath{Endpoint::parse("198.51.100.1:80").value(), 7, false};
  EXPECT_EQ(judgeSetup(Setup::connect, ENETUNREACH, probe).reason, "no route to 198.51.100.1");
}

TEST(JudgeLost, WhatComesLaterIsTheServers) {
  EXPECT_EQ(judgeLost(ECONNREFUSED, 0).kind, FailureKind::refused);
  EXPECT_EQ(judgeLost(ECONNRESET, 0).kind, FailureKind::reset);
  EXPECT_EQ(judgeLost(EPIPE, 0).kind, FailureKind::reset);
  EXPECT_EQ(judgeLost(ETIMEDOUT, 0).kind, FailureKind::timeout);
  for (const int code : {EHOSTUNREACH, ENETUNREACH, EACCES, EHOSTDOWN, ENOPROTOOPT, 9999}) {
    EXPECT_EQ(judgeLost(code, 0).kind, FailureKind::unreachable) << code;
    EXPECT_EQ(judgeLost(code, 0).answer, Answer::fail) << code;
  }
}

TEST(JudgeLost, WhatOnlyThisNodeCanDoIsLocal) {
  for (const int code : {ENOMEM, ENOBUFS, ECONNABORTED}) {
    EXPECT_EQ(judgeLost(code, 0).answer, Answer::localError) << code;
  }
}

TEST(JudgeLost, SaysHowFarTheAnswerWas) {
  EXPECT_EQ(judgeLost(ECONNRESET, 0).reason, "connection reset before an answer");
  EXPECT_EQ(judgeLost(ECONNRESET, 17).reason, "connection reset after 17 bytes of the answer");
}

}  // namespace
}  // namespace l4ward::healthcheck
