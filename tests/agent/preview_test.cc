#include "agent/preview.h"

#include <gmock/gmock.h>

#include "tests/agent/controller_fixture.h"

namespace l4ward::agent {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class PreviewTest : public ControllerTest {
 protected:
  std::string text(const std::string& yaml) {
    const auto before = kernel.operations();
    const auto shown = preview(siteOf(yaml), kernel.dump().value(), memory.value, 4093);
    EXPECT_EQ(kernel.operations(), before);
    return previewText(shown);
  }
};

TEST_F(PreviewTest, WithoutAChangeItShowsTheTable) {
  const auto life = servingLife();
  EXPECT_THAT(text(site()), StartsWith("tcp 198.51.100.1:80 (web): no change\n  table mh1:4093:"));
  EXPECT_THAT(text(site()),
              HasSubstr("\n0 operations on 0 of 1 service. Nothing has been changed"));
}

TEST_F(PreviewTest, ANewServerMovesAboutItsShare) {
  const auto life = servingLife();
  const auto shown = preview(siteOf(site("1 2 3 4")), kernel.dump().value(), memory.value, 4093);
  ASSERT_EQ(shown.services.size(), 1U);
  const auto& web1 = shown.services[0];
  EXPECT_EQ(web1.operations.size(), 7U);
  ASSERT_TRUE(web1.shift);
  EXPECT_NEAR(web1.shift->moved, 0.25, 0.05);
  EXPECT_LT(web1.shift->needless, 0.05);
  EXPECT_NE(web1.digestBefore, web1.digestAfter);
  // What it said is what comes: the agent does it, and both digests are the kernel's.
  life->controller.reload(siteOf(site("1 2 3 4")), life->now);
  life->answerAll(Answer::pass);
  life->turn();
  life->answerAll(Answer::pass);
  life->turn();
  const auto later = preview(siteOf(site("1 2 3 4")), kernel.dump().value(), memory.value, 4093);
  EXPECT_EQ(later.services[0].digestBefore, web1.digestAfter);
  EXPECT_TRUE(later.services[0].operations.empty());
}

TEST_F(PreviewTest, ServersThatAreOutStayOut) {
  const auto life = servingLife();
  failServer(*life, "192.0.2.102:80");
  const auto shown = text(site());
  EXPECT_THAT(shown, HasSubstr("no change"));
  EXPECT_THAT(shown, HasSubstr("  1 of 3 servers out, at weight 0\n"));
}

TEST_F(PreviewTest, ABackupPoolThatStandsInStays) {
  auto yaml = site("1") + "on_all_down: believe\n";
  yaml.replace(yaml.find("services:"), 9,
               "  reserve: { check: healthz, servers: [{ name: r, address: 192.0.2.51 }] }\n"
               "services:");
  yaml.replace(yaml.find("pool: edge }"), 12, "pool: edge, backup_pool: reserve }");
  const auto life = newLife(yaml);
  life->answerAll(Answer::pass);
  life->turn();
  EXPECT_THAT(text(yaml), HasSubstr("no change"));
  failServer(*life, "192.0.2.101:80");
  ASSERT_EQ(weights(web), (std::vector<std::uint32_t>{1, 0}));
  EXPECT_THAT(text(yaml), HasSubstr("no change"));
}

TEST_F(PreviewTest, NewAndDroppedServicesAndVips) {
  const auto life = servingLife();
  const auto shown = text(site("1 2 3", "alt"));
  EXPECT_THAT(shown, HasSubstr("tcp 198.51.100.2:80 (alt): new, 3 servers\n"));
  EXPECT_THAT(shown, HasSubstr("tcp 198.51.100.1:80: dropped: drained, then deleted\n"));
  EXPECT_THAT(shown, HasSubstr("    delete service\n"));
  EXPECT_THAT(shown, HasSubstr("new VIP 198.51.100.2\ndropped VIP 198.51.100.1\n"));
}

}  // namespace
}  // namespace l4ward::agent
