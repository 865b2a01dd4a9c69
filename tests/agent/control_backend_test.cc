// What the control server asks, against an agent whose loop is turned by hand.
#include "agent/control_backend.h"

#include <gmock/gmock.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "tests/agent/controller_fixture.h"

namespace l4ward::agent {
namespace {

using control::Reply;
using testing::HasSubstr;
using StatusPtr = std::shared_ptr<const control::NodeStatus>;

constexpr auto kPatience = std::chrono::seconds(20);

// What other threads put in and the test waits for.
template <typename T>
class Inbox {
 public:
  void put(T value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    changed_.notify_all();
  }
  T take() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [&] { return !values_.empty(); })) {
      throw std::runtime_error("nothing came");
    }
    auto value = std::move(values_.front());
    values_.pop_front();
    return value;
  }
  bool empty() const {
    const std::lock_guard lock(mutex_);
    return values_.empty();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> values_;
};

class FakeAgent final : public Controlled {
 public:
  explicit FakeAgent(Life& life) : life_(life) {}

  void post(std::function<void()> work) override { posted.put(std::move(work)); }
  // As the loop does with what was posted first.
  void runOne() { posted.take()(); }

  Snapshot snapshot() override {
    ++snapshots;
    return life_.controller.snapshot(life_.now);
  }
  ProcessState process() override {
    ProcessState state;
    state.at = 1'800'000'000;
    state.phase = "running";
    state.siteFile = "/etc/l4ward/site.yaml";
    return state;
  }
  Reply reload() override {
    return tl::unexpected(control::Refusal{"invalid-site", "site.yaml:1:1: wrong", "mend it"});
  }
  Reply resync() override { return nlohmann::json::object(); }
  Reply set(const control::SetRequest& request, const control::Peer& peer) override {
    control::Override override;
    override.subject = request.subject;
    override.by = peer.user;
    control::Overrides all;
    EXPECT_TRUE(all.set(override));
    life_.controller.setOverrides(all);
    return nlohmann::json::object();
  }
  Reply clear(const control::ClearRequest&) override {
    life_.controller.setOverrides({});
    return nlohmann::json::object();
  }
  std::shared_ptr<const config::Site> site() override { return life_.controller.site(); }
  std::string siteText() override { return "the text"; }

  std::optional<healthcheck::Tallies> tallies() override { return std::nullopt; }
  Result<ipvs::Statistics> statistics() override {
    if (!counts) return fail("no counters");
    return *counts;
  }
  std::size_t slots() override { return 251; }
  Result<std::optional<ipvs::Connection>> connection(const ipvs::Flow&) override {
    return fail("too many");
  }

  Inbox<std::function<void()>> posted;
  int snapshots = 0;  // the loop's
  std::optional<ipvs::Statistics> counts;

 private:
  Life& life_;
};

class ControlBackendTest : public ControllerTest {
 protected:
  void SetUp() override {
    life = servingLife();
    agent = std::make_unique<FakeAgent>(*life);
    backend = std::make_unique<ControlBackend>(*agent, [this] { return life->now; });
  }
  void askStatus() {
    backend->status([this](StatusPtr status) { statuses.put(std::move(status)); });
  }
  StatusPtr status() {
    askStatus();
    if (statuses.empty()) agent->runOne();
    return statuses.take();
  }
  void ask(const control::Request& request) {
    backend->handle(request, {1, 1000, "anna"}, [this](Reply reply) { replies.put(reply); });
  }
  Reply answer(const control::Request& request) {
    ask(request);
    agent->runOne();
    return replies.take();
  }
  static control::LookupRequest lookup(const std::string& client, const std::string& vip) {
    return {endpoint(client), endpoint(vip), "tcp"};
  }

  std::unique_ptr<Life> life;
  std::unique_ptr<FakeAgent> agent;
  Inbox<StatusPtr> statuses;
  Inbox<Reply> replies;
  std::unique_ptr<ControlBackend> backend;  // last: nothing comes any more
};

TEST_F(ControlBackendTest, AStatusHasAllItsParts) {
  agent->counts.emplace();
  (*agent->counts)[web].counters.connections = 5;
  const auto found = status();
  EXPECT_EQ(found->node.phase, "running");
  EXPECT_EQ(found->node.tableSlots, 251U);
  ASSERT_EQ(found->services.size(), 1U);
  EXPECT_EQ(found->services[0].connections, 5U);
  EXPECT_NE(found->services[0].digest, "");
  EXPECT_DOUBLE_EQ(found->countersAt, 1'800'000'000);
  ASSERT_EQ(found->alarms.size(), 1U);
  EXPECT_EQ(found->alarms[0].id, "bgp.relay_lost");
}

TEST_F(ControlBackendTest, WithoutCountersTheRestIsShown) {
  const auto found = status();
  EXPECT_DOUBLE_EQ(found->countersAt, 0);
  EXPECT_EQ(found->services[0].up, 3U);
}

TEST_F(ControlBackendTest, OneLookAtTheAgentServesAllForASecond) {
  for (int i = 0; i < 10; ++i) askStatus();
  agent->runOne();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(statuses.take());
  life->now += Millis(999);
  EXPECT_TRUE(status());
  EXPECT_EQ(agent->snapshots, 1);
  EXPECT_TRUE(agent->posted.empty());
  life->now += Millis(1);
  EXPECT_TRUE(status());
  EXPECT_EQ(agent->snapshots, 2);
}

TEST_F(ControlBackendTest, AChangeIsInTheNextStatus) {
  EXPECT_TRUE(status()->overrides.empty());
  control::SetRequest set;
  set.subject = {control::Subject::Kind::server, "lb7-1", "edge"};
  ASSERT_TRUE(answer(set));
  const auto changed = status();
  ASSERT_EQ(changed->overrides.size(), 1U);
  EXPECT_EQ(changed->overrides[0].by, "anna");
  EXPECT_EQ(changed->servers[0].state, "draining");
  EXPECT_EQ(changed->servers[0].because, "drained by anna");
  ASSERT_TRUE(answer(control::ClearRequest{set.subject}));
  EXPECT_TRUE(status()->overrides.empty());
}

// Whoever asks after a change is not told what was found before it.
TEST_F(ControlBackendTest, AChangeWhileAStatusIsMadeIsInIt) {
  askStatus();
  control::SetRequest set;
  set.subject = {control::Subject::Kind::server, "lb7-1", "edge"};
  ask(set);
  const auto gather = agent->posted.take();
  const auto change = agent->posted.take();
  change();
  gather();
  EXPECT_EQ(statuses.take()->overrides.size(), 1U);
}

TEST_F(ControlBackendTest, ARefusalIsPassedOn) {
  const auto reply = answer(control::ReloadRequest{});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, "invalid-site");
  EXPECT_EQ(reply.error().message, "site.yaml:1:1: wrong");
  EXPECT_TRUE(answer(control::ResyncRequest{}));
}

TEST_F(ControlBackendTest, APlanSaysWhatWouldChange) {
  const auto same = answer(control::PlanRequest{"site.yaml", site()});
  ASSERT_TRUE(same) << same.error().message;
  EXPECT_EQ((*same)["operations"], 0);
  const auto less = answer(control::PlanRequest{"site.yaml", site("1 2")});
  ASSERT_TRUE(less);
  EXPECT_GT((*less)["operations"], 0);
  EXPECT_THAT((*less)["text"].get<std::string>(), HasSubstr("Nothing has been changed"));
  EXPECT_EQ((*less)["services"][0]["key"], web.str());
  EXPECT_EQ((*less)["services"][0]["servers"], 2);
  EXPECT_EQ(kernel.dump()->at(web).destinations.size(), 3U);
}

TEST_F(ControlBackendTest, APlanOfAFileWithMistakesNamesThem) {
  const auto reply = answer(control::PlanRequest{"new.yaml", "pools: 7\n"});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, "invalid-site");
  EXPECT_THAT(reply.error().message, HasSubstr("new.yaml:1:"));
}

TEST_F(ControlBackendTest, ALookupSaysWhatItCouldNotSee) {
  const auto reply = answer(lookup("203.0.113.9:40000", "198.51.100.1:80"));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ((*reply)["name"], "web");
  EXPECT_FALSE(reply->contains("held"));
  EXPECT_THAT((*reply)["text"].get<std::string>(), HasSubstr("too many"));
}

TEST_F(ControlBackendTest, ALookupOfTwoFamiliesIsRefused) {
  const auto reply = answer(lookup("[2001:db8::9]:40000", "198.51.100.1:80"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, "bad-request");
}

TEST_F(ControlBackendTest, ManyLookupsDoNotKeepTheLoopBusy) {
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(answer(lookup("203.0.113.9:" + std::to_string(1000 + i), "198.51.100.1:80")));
  }
  EXPECT_EQ(agent->snapshots, 1);
}

TEST_F(ControlBackendTest, ConfigIsTheLoadedText) {
  const auto reply = answer(control::ConfigRequest{});
  ASSERT_TRUE(reply);
  EXPECT_EQ((*reply)["path"], "/etc/l4ward/site.yaml");
  EXPECT_EQ((*reply)["text"], "the text");
  EXPECT_EQ(agent->snapshots, 0);
  EXPECT_EQ((*reply)["hash"], status()->node.siteHash);
}

TEST_F(ControlBackendTest, TheVersionNeedsNoAgent) {
  ask(control::VersionRequest{});
  const auto reply = replies.take();
  ASSERT_TRUE(reply);
  EXPECT_EQ((*reply)["protocol"], control::kProtocolVersion);
}

TEST_F(ControlBackendTest, NobodyIsAnsweredAfterItsEnd) {
  askStatus();
  ask(control::ResyncRequest{});
  agent->runOne();  // gathers; the worker may be at it
  backend.reset();
  while (!statuses.empty()) statuses.take();
  EXPECT_TRUE(replies.empty());
}

}  // namespace
}  // namespace l4ward::agent
