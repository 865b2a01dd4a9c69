// Anything in any order: in the end ExaBGP holds what the agent wanted last.
#include <gtest/gtest.h>

#include <random>

#include "tests/bgp/relay_world.h"

namespace l4ward::bgp::testing {
namespace {

class Chaos {
 public:
  explicit Chaos(unsigned seed) : random_(seed) {
    w.exabgp.refusesWithdrawals = false;  // they are given up at some time
  }

  void turn() {
    switch (pick(16)) {
      case 0:
      case 1:
        if (w.connected) w.publish(anyRoutes());
        break;
      case 2:
        if (w.connected) w.disconnect();
        break;
      case 3:
        if (!w.connected) w.connect();
        break;
      case 4:
        w.killRelay(pick(70));
        break;
      case 5:
        if (pick(3) == 0) w.killExabgp();
        break;
      case 6:
        flap("192.0.2." + std::to_string(1 + pick(3)));
        break;
      case 7:
        w.pass(Millis(pick(3000)));
        break;
      case 8:
        w.now += Millis(pick(200));
        break;
      case 9:
        refuse();
        break;
      case 10:
        hang();
        break;
      default:
        talk();
    }
    w.step();
  }

  void finish() {
    w.exabgp.refuse.clear();
    if (!w.connected) w.connect();
    w.publish(anyRoutes());
    w.pass(Millis(6000));  // the longest backoff, and more
    ASSERT_TRUE(w.exabgp.rib == asRib(*w.published)) << "another set of routes stands";
    ASSERT_TRUE(w.isSynced());
    for (const std::string& neighbor : w.exabgp.established) {
      ASSERT_GE(w.exabgp.endOfRib[neighbor], 1) << neighbor;
    }
    ASSERT_FALSE(w.quit);
    w.exabgp.lines = 0;
    w.killRelay();
    w.connect();
    w.pass(Millis(2000));
    ASSERT_TRUE(w.exabgp.rib == asRib(*w.published)) << "another set of routes stands";
  }

 private:
  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

  RouteSet anyRoutes() {
    RouteSet set;
    for (int neighbor = 1; neighbor <= 3; ++neighbor) {
      const RouteSet more =
          routes(pick(60), "192.0.2." + std::to_string(neighbor), 100 + pick(2) * 100);
      for (const auto& [route, attributes] : more) {
        if (pick(4) == 0) continue;
        set[route] = attributes;
        if (pick(8) == 0) set[route].med = static_cast<std::uint32_t>(pick(3));  // parts lines
      }
    }
    return set;
  }

  // Some of what is wanted, until it is not refused any more.
  void refuse() {
    w.exabgp.refuse.clear();
    if (!w.published || pick(2) == 0) return;
    for (const auto& [slot, attributes] : asRib(*w.published)) {
      if (pick(10) == 0) w.exabgp.refuse.insert(slot);
    }
  }

  // So long that the agent is told, which kills it or not.
  void hang() {
    if (pick(4) != 0) return;
    w.settle();  // questions of several dead relays and then silence: answers might be mistaken
    w.exabgp.hangs = true;
    const int before = w.count<Stuck>();
    const bool connected = w.connected;
    w.pass(RelayState::kAskTime + RelayState::kAnswerTime);
    if (connected && w.connected) {
      EXPECT_EQ(w.count<Stuck>(), before + 1);
    }
    w.exabgp.hangs = false;
    if (pick(2) == 0) w.killExabgp();
    w.settle();
  }

  void flap(const std::string& neighbor) {
    if (w.exabgp.established.contains(neighbor)) {
      w.exabgp.sessionDown(neighbor);
    } else {
      w.exabgp.sessionUp(neighbor);
    }
  }

  void talk() {
    for (int i = pick(40); i > 0; --i) {
      if (pick(2) == 0) w.exabgp.answer();
      if (!w.exabgp.answers.empty()) w.readOne();
      if (pick(3) == 0) w.step();
    }
  }

  std::mt19937 random_;

 public:
  RelayWorld w;
};

class RelayRandomTest : public ::testing::TestWithParam<unsigned> {};

TEST_P(RelayRandomTest, EndsWithWhatIsWanted) {
  for (unsigned run = 0; run < 40; ++run) {
    SCOPED_TRACE("seed " + std::to_string(GetParam() * 1000 + run));
    Chaos chaos(GetParam() * 1000 + run);
    for (int i = 0; i < 120; ++i) chaos.turn();
    chaos.finish();
    if (::testing::Test::HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RelayRandomTest, ::testing::Range(1U, 9U));

}  // namespace
}  // namespace l4ward::bgp::testing
