#include "healthcheck/state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <vector>

namespace l4ward::healthcheck {
namespace {

constexpr std::array allHealths{Health::unknown, Health::up, Health::drain, Health::down};
constexpr std::array allAnswers{Answer::pass, Answer::drain, Answer::fail, Answer::localError};
constexpr std::array definiteAnswers{Answer::pass, Answer::drain, Answer::fail};

Health meaning(Answer answer) {
  switch (answer) {
    case Answer::pass:
      return Health::up;
    case Answer::drain:
      return Health::drain;
    default:
      return Health::down;
  }
}

unsigned needed(Health toward, const Policy& policy) {
  return toward == Health::down ? policy.fall : policy.rise;
}

// Every state that can be written down, also those that step never makes.
std::vector<State> allStates() {
  std::vector<State> states;
  for (const auto health : allHealths) {
    for (const auto toward : allHealths) {
      for (unsigned streak = 0; streak <= 5; ++streak) {
        for (const bool verified : {false, true}) {
          for (const bool localError : {false, true}) {
            states.push_back({health, toward, streak, verified, localError});
          }
        }
      }
    }
  }
  return states;
}

std::vector<Policy> allPolicies() {
  std::vector<Policy> policies;
  for (unsigned rise = 1; rise <= 4; ++rise) {
    for (unsigned fall = 1; fall <= 4; ++fall) policies.push_back({rise, fall});
  }
  return policies;
}

TEST(StateStep, LocalErrorChangesNothingButItsFlag) {
  for (const auto& state : allStates()) {
    for (const auto& policy : allPolicies()) {
      State expected = state;
      expected.localError = true;
      const auto result = step(state, Answer::localError, policy);
      EXPECT_EQ(result.state, expected);
      EXPECT_FALSE(result.changed);
      EXPECT_FALSE(result.verdict);
    }
  }
}

TEST(StateStep, EveryStateAndAnswerKeepsTheInvariants) {
  for (const auto& state : allStates()) {
    for (const auto& policy : allPolicies()) {
      for (const auto answer : definiteAnswers) {
        const auto [after, changed, verdict] = step(state, answer, policy);
        ASSERT_NE(after.health, Health::unknown);
        ASSERT_FALSE(after.localError);
        ASSERT_EQ(changed, after.health != state.health);
        ASSERT_EQ(verdict, after.verified && !state.verified);
        ASSERT_GE(after.verified, state.verified);
        ASSERT_EQ(after.pending(), after.toward != after.health);
        ASSERT_TRUE(!changed || after.health == meaning(answer));
        if (!after.pending()) {
          ASSERT_EQ(after.health, meaning(answer));
          ASSERT_TRUE(after.verified);
        } else {
          ASSERT_EQ(after.toward, meaning(answer));
          ASSERT_LT(after.streak, needed(after.toward, policy));
        }
      }
    }
  }
}

TEST(StateStep, FirstDefiniteAnswerDecides) {
  for (const auto& policy : allPolicies()) {
    for (const auto answer : definiteAnswers) {
      const auto result = step(State{}, answer, policy);
      EXPECT_EQ(result.state, (State{meaning(answer), meaning(answer), 0, true, false}));
      EXPECT_TRUE(result.changed);
      EXPECT_TRUE(result.verdict);
    }
  }
}

TEST(StateStep, EachChangeTakesItsOwnNumberOfAnswers) {
  for (const auto& policy : allPolicies()) {
    for (const auto from : {Health::up, Health::drain, Health::down}) {
      for (const auto answer : definiteAnswers) {
        if (meaning(answer) == from) continue;
        State state = State::assumed(from);
        unsigned count = 0;
        while (state.health == from) {
          state = step(state, answer, policy).state;
          ASSERT_LE(++count, 4U);
        }
        EXPECT_EQ(count, needed(meaning(answer), policy));
        EXPECT_EQ(state.health, meaning(answer));
      }
    }
  }
}

// HAProxy answers 404 while it is told to stop: it is alive, but wants no new connections.
TEST(StateStep, DrainIsNeitherUpNorDown) {
  const Policy policy{2, 3};
  State state = State::assumed(Health::up);
  state = step(state, Answer::drain, policy).state;
  EXPECT_EQ(state.health, Health::up);
  EXPECT_TRUE(state.pending());
  state = step(state, Answer::drain, policy).state;
  EXPECT_EQ(state.health, Health::drain);
  state = step(state, Answer::pass, policy).state;
  state = step(state, Answer::pass, policy).state;
  EXPECT_EQ(state.health, Health::up);
}

TEST(StateStep, AnotherContraryAnswerStartsTheRunAnew) {
  const Policy policy{2, 2};
  State state = State::assumed(Health::down);
  for (int i = 0; i < 5; ++i) {
    state = step(state, Answer::pass, policy).state;
    EXPECT_EQ(state, (State{Health::down, Health::up, 1, false, false}));
    state = step(state, Answer::drain, policy).state;
    EXPECT_EQ(state, (State{Health::down, Health::drain, 1, false, false}));
  }
}

TEST(StateStep, AServerThatDrainsAndFailsInTurnsDoesNotStayUp) {
  const Policy policy{2, 3};
  State state = State::assumed(Health::up);
  state = step(state, Answer::drain, policy).state;
  state = step(state, Answer::fail, policy).state;
  EXPECT_EQ(state, (State{Health::up, Health::down, 2, false, false}));
  EXPECT_EQ(step(state, Answer::fail, policy).state.health, Health::down);
  EXPECT_EQ(step(state, Answer::drain, policy).state.health, Health::drain);
}

TEST(StateStep, LocalErrorsDoNotBreakARun) {
  const Policy policy{2, 2};
  State state = step(State::assumed(Health::up), Answer::fail, policy).state;
  state = step(state, Answer::localError, policy).state;
  EXPECT_TRUE(state.localError);
  EXPECT_TRUE(state.pending());
  const auto result = step(state, Answer::fail, policy);
  EXPECT_EQ(result.state.health, Health::down);
  EXPECT_FALSE(result.state.localError);
}

TEST(StateStep, AnAssumptionBecomesAVerdictOnce) {
  const Policy policy{2, 3};
  const auto first = step(State::assumed(Health::up), Answer::pass, policy);
  EXPECT_FALSE(first.changed);
  EXPECT_TRUE(first.verdict);
  EXPECT_FALSE(step(first.state, Answer::pass, policy).verdict);
}

TEST(StateStep, ALoweredPolicyAppliesToARunUnderWay) {
  State state = State::assumed(Health::up);
  for (int i = 0; i < 4; ++i) state = step(state, Answer::fail, {2, 10}).state;
  EXPECT_EQ(step(state, Answer::fail, {2, 3}).state.health, Health::down);
}

// The same rules told otherwise: by looking back over the whole history each time, without a
// streak. Slow and without a memory of its own but where the health last changed.
class SlowModel {
 public:
  SlowModel(Health start, Policy policy) : health_(start), policy_(policy) {}

  void see(Answer answer) {
    local_ = answer == Answer::localError;
    if (local_) return;
    said_.push_back(meaning(answer));
    const Health last = said_.back();
    verified_ = verified_ || health_ == Health::unknown || last == health_;
    const bool enough = runAtTheEnd() >= needed(last, policy_);
    if (last != health_ && (health_ == Health::unknown || enough)) {
      health_ = last;
      verified_ = true;
      sinceChange_ = said_.size();
    }
  }

  State state() const {
    const bool contrary = said_.size() > sinceChange_ && said_.back() != health_;
    return {health_, contrary ? said_.back() : health_, contrary ? runAtTheEnd() : 0, verified_,
            local_};
  }

 private:
  // How many of the last answers since the change are of one run with the very last.
  unsigned runAtTheEnd() const {
    const auto rest = static_cast<std::ptrdiff_t>(said_.size() - sinceChange_);
    const auto ofTheRun = [&](Health h) {
      return h == said_.back() || (health_ == Health::up && h != Health::up);
    };
    const auto end = said_.rbegin() + rest;
    return static_cast<unsigned>(std::find_if_not(said_.rbegin(), end, ofTheRun) - said_.rbegin());
  }

  Health health_;
  Policy policy_;
  std::vector<Health> said_;
  std::size_t sinceChange_ = 0;
  bool verified_ = false;
  bool local_ = false;
};

TEST(StateStep, AgreesWithTheSlowModelOnRandomHistories) {
  std::mt19937 random(20240607);
  std::set<std::pair<Health, Health>> seen;
  for (int history = 0; history < 20000; ++history) {
    const Policy policy{1 + static_cast<unsigned>(random() % 4),
                        1 + static_cast<unsigned>(random() % 4)};
    const Health start = allHealths[random() % allHealths.size()];
    SlowModel model(start, policy);
    State state = State::assumed(start);
    Answer answer = Answer::pass;
    for (int i = 0; i < 40; ++i) {
      if (random() % 3 == 0) answer = allAnswers[random() % allAnswers.size()];
      const auto before = state.health;
      model.see(answer);
      state = step(state, answer, policy).state;
      ASSERT_EQ(state, model.state()) << "history " << history << " answer " << i;
      if (before != state.health) seen.emplace(before, state.health);
    }
  }
  EXPECT_EQ(seen.size(), 9U);  // unknown to three, and three to the two others
}

TEST(StateNames, EveryValueHasItsOwn) {
  std::set<std::string_view> names;
  for (unsigned kind = 0; kind <= static_cast<unsigned>(FailureKind::local); ++kind) {
    names.insert(toString(static_cast<FailureKind>(kind)));
  }
  EXPECT_EQ(names.size(), static_cast<unsigned>(FailureKind::local) + 1);
  for (const auto health : allHealths) EXPECT_FALSE(toString(health).empty());
}

}  // namespace
}  // namespace l4ward::healthcheck
