// RelayState, its record on "disk", an agent and FakeExabgp in one box with one clock.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bgp/relay_state.h"
#include "tests/bgp/fake_exabgp.h"

namespace l4ward::bgp::testing {

struct RelayWorld {
  TimePoint now = TimePoint{} + std::chrono::hours(1);
  FakeExabgp exabgp;
  std::string instance = "100:1";
  std::string disk;  // the record as written; empty: none
  std::unique_ptr<RelayState> relay;
  bool connected = false;
  std::optional<RouteSet> published;
  Millis hold{10000};
  std::uint64_t generation = 0;
  std::vector<RelayMessage> messages;  // all that the agent got
  int records = 0;
  bool quit = false;

  RelayWorld() { startRelay(); }

  void startRelay() {
    connected = false;
    std::optional<RelayRecord> record;
    if (!disk.empty()) record = decodeRecord(disk).value();
    relay = std::make_unique<RelayState>(now, instance, record, false);
  }
  // As kill -9 between a write of the record and the `written`th line after it.
  void killRelay(std::size_t written = 0) {
    const RelayOutput out = relay->step(now);
    if (out.record) disk = encodeRecord(*out.record);
    for (std::size_t i = 0; i < std::min(written, out.lines.size()); ++i) {
      exabgp.take(out.lines[i]);
    }
    exabgp.changeRelay();
    startRelay();
  }
  void killExabgp() {
    FakeExabgp next;
    next.refuse = exabgp.refuse;
    next.refusesWithdrawals = exabgp.refusesWithdrawals;
    exabgp = next;
    instance = std::to_string(std::stoi(instance) + 1) + ":1";
    startRelay();
  }

  void connect() {
    relay->agentConnected(now);
    connected = true;
    if (published) send();
  }
  void publish(const RouteSet& wanted) {
    if (published != wanted) ++generation;
    published = wanted;
    if (connected) send();
  }
  void send() { relay->agentMessage(now, decoded(Routes{generation, hold, *published})); }
  void disconnect() {
    connected = false;
    relay->agentGone(now);
  }

  // Does what the relay says, without letting ExaBGP work.
  void step() {
    const RelayOutput out = relay->step(now);
    if (out.record) {
      disk = encodeRecord(*out.record);
      ++records;
    }
    for (const std::string& line : out.lines) {
      EXPECT_LE(line.size(), kMaxCommandLine);
      exabgp.take(line);
    }
    for (const RelayMessage& message : out.messages) {
      messages.push_back(decodeRelayMessage(trimmed(encode(message))).value());
    }
    if (out.quit) quit = true;
    if (out.dropAgent) disconnect();
  }
  // Lets ExaBGP and the relay talk until neither has anything to say.
  void settle() {
    step();
    while (!exabgp.answers.empty() || exabgp.answer()) {
      while (!exabgp.answers.empty()) readOne();
      step();
    }
  }
  void readOne() {
    const std::string line = exabgp.answers.front();
    exabgp.answers.pop_front();
    relay->exabgpLine(now, line);
  }
  // Time passes; a connected agent is heard.
  void pass(Millis time) {
    const TimePoint end = now + time;
    settle();
    while (now < end) {
      now = std::min({end, now + Millis(2000), std::max(relay->deadline(now), now + Millis(1))});
      if (connected) relay->agentMessage(now, Alive{});
      settle();
    }
  }

  bool isSynced() const {
    return std::find(messages.begin(), messages.end(), RelayMessage(Synced{generation})) !=
           messages.end();
  }
  template <typename T>
  int count() const {
    return static_cast<int>(std::count_if(messages.begin(), messages.end(), [](const auto& m) {
      return std::holds_alternative<T>(m);
    }));
  }

  static std::string trimmed(std::string line) {
    line.pop_back();
    return line;
  }
  static AgentMessage decoded(const AgentMessage& message) {
    return decodeAgentMessage(trimmed(encode(message))).value();
  }
};

inline RouteSet routes(int count, const std::string& neighbor = "192.0.2.1", int med = 100) {
  RouteSet set;
  for (int i = 0; i < count; ++i) {
    const std::string prefix =
        "198.51." + std::to_string(i / 250) + "." + std::to_string(i % 250) + "/32";
    Attributes attributes = plain(ip("192.0.2.11"), static_cast<std::uint32_t>(med));
    attributes.communities = {"65001:80"};
    set[key(neighbor, prefix)] = attributes;
  }
  return set;
}

// Each has attributes of its own.
inline RouteSet unlike(int count) {
  RouteSet set = routes(count);
  std::uint32_t med = 0;
  for (auto& [route, attributes] : set) attributes.med = ++med;
  return set;
}

class RelayWorldTest : public ::testing::Test {
 protected:
  // A relay that announces `count` routes for a connected agent over a session that is up.
  void standing(int count) {
    w.exabgp.sessionUp("192.0.2.1");
    w.connect();
    w.publish(routes(count));
    w.settle();
    w.pass(Millis(1000));
    ASSERT_EQ(w.exabgp.rib, asRib(*w.published));
    w.exabgp.lines = w.exabgp.commands = 0;
    w.exabgp.updates = 0;
  }
  RelayWorld w;
};

}  // namespace l4ward::bgp::testing
