// A pool without servers, as `servers_from` may leave it: its services have no quorum.
#include <gmock/gmock.h>

#include "agent/availability.h"
#include "agent/preview.h"
#include "tests/agent/controller_fixture.h"

namespace l4ward::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

config::Site emptied(const std::string& yaml) {
  auto site = siteOf(yaml);
  site.pools.at("edge").serversFrom = "edge.yaml";
  site.pools.at("edge").servers.clear();
  return site;
}

class EmptyPool : public ControllerTest {};

TEST_F(EmptyPool, IsProgrammedAndNotAnnounced) {
  Life life(kernel, interfaces, memory);
  ASSERT_TRUE(life.controller.start(emptied(site()), life.now));
  life.controller.onRelayConnected({}, life.now);
  life.turn();
  EXPECT_TRUE(life.controller.isReady());
  EXPECT_THAT(weights(web), IsEmpty());
  EXPECT_THAT(life.announced(), IsEmpty());
}

TEST_F(EmptyPool, WithdrawsFirstAndDrainsItsOldServers) {
  auto life = servingLife();
  EXPECT_THAT(life->announced(), ElementsAre(kVip));
  life->controller.reload(emptied(site()), life->now);
  life->turn();
  EXPECT_THAT(life->announced(), IsEmpty());
  life->sync();
  life->turn();
  for (const auto weight : weights(web)) EXPECT_EQ(weight, 0U);
  for (int i = 0; i < 10 && !weights(web).empty(); ++i) life->turnWhenDue();
  EXPECT_THAT(weights(web), IsEmpty());
}

TEST_F(EmptyPool, ServesAgainWhenItHasServers) {
  Life life(kernel, interfaces, memory);
  ASSERT_TRUE(life.controller.start(emptied(site()), life.now));
  life.controller.onRelayConnected({}, life.now);
  life.turn();
  life.controller.reload(siteOf(site()), life.now);
  life.turn();
  life.answerAll(Answer::pass);
  life.turn();
  EXPECT_THAT(life.announced(), ElementsAre(kVip));
  EXPECT_EQ(weights(web), (std::vector<std::uint32_t>{1, 1, 1}));
}

TEST_F(EmptyPool, ReachesNoQuorumOfAnyKind) {
  for (const std::string quorum : {"1", "\"1%\"", "{ weight: 1 }"}) {
    auto yaml = site();
    yaml.insert(yaml.rfind(" }"), ", quorum: " + quorum);
    const auto model = compile(emptied(yaml));
    const auto& service = model.services.at(web);
    for (const bool held : {true, false}) {
      EXPECT_EQ(quorumOf(service, {}, held, {}, Millis(0)), QuorumState::lost) << quorum;
      EXPECT_TRUE(viewOf(service, {}, held, {}, Millis(0)).complete);
    }
    EXPECT_FALSE(inPanic(service, {}, {}, Millis(0)));
  }
}

TEST_F(EmptyPool, CanBePreviewed) {
  auto life = servingLife();
  const auto shown = preview(emptied(site()), kernel.dump().value(), memory.value, 4093);
  ASSERT_EQ(shown.services.size(), 1U);
  EXPECT_EQ(shown.services[0].servers, 0U);
  EXPECT_THAT(previewText(shown), testing::HasSubstr("tcp 198.51.100.1:80 (web)"));
}

}  // namespace
}  // namespace l4ward::agent
