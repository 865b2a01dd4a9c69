#include "config/validate_checks.h"

#include "site_text.h"

namespace l4ward::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Uses : public testing::TestWithParam<Mistake> {};

TEST_P(Uses, IsOneError) {
  expectError(GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    ValidateChecks, Uses,
    testing::Values(
        Mistake{"check: web", "check: [web, porrt]",
                "21:18: pools.edge.check[1]: found 'porrt', expected the name of a check (did you "
                "mean 'port'?)"},
        Mistake{"check: web", "check: [wev]",
                "21:12: pools.edge.check: found 'wev', expected the name of a check, or none (did "
                "you mean 'web'?)"},
        Mistake{"check: web", "check: [web, port]\n    agent_weight: true",
                "22:19: pools.edge.agent_weight: found 'true' in a pool without an agent, expected "
                "a check of type agent in `check`"},
        Mistake{"check: web", "check: none\n    agent_weight: true",
                "22:19: pools.edge.agent_weight: found 'true' in a pool without an agent, expected "
                "a check of type agent in `check`"},
        Mistake{"type: tcp", "type: tcp\n    via: tunnel",
                "18:10: checks.port.via: found 'tunnel' and no `data_path.uplinks`, expected the "
                "interfaces where servers' answers come in at `data_path.uplinks`"},
        // Nothing more is said of what was wrong by itself.
        Mistake{"type: tcp", "type: tcp\n    via: tunnel\ndata_path: {uplinks: eth0}",
                "19:22: data_path.uplinks: found 'eth0', expected a list"},
        Mistake{"check: web", "check: [web, a b]\n    agent_weight: true",
                "21:18: pools.edge.check[1]: found 'a b', expected the name of a check"},
        Mistake{"check: web", "check: wev\n    agent_weight: true",
                "21:12: pools.edge.check: found 'wev', expected the name of a check, or none (did "
                "you mean 'web'?)"}));

TEST(ValidateChecks, AgentWeightsWithAnAgent) {
  const auto text = edited("check: web", "check: [web, port]\n    agent_weight: true");
  EXPECT_THAT(errorsOf(edited("type: tcp", "type: agent\n    port: 1", text)), IsEmpty());
  EXPECT_THAT(errorsOf(edited("type: tcp", "type: agnet", text)),
              ElementsAre(HasSubstr("found 'agnet'")));
}

TEST(ValidateChecks, TheTunnelIsForServersThatAnswerByThemselves) {
  const auto text =
      edited("check: web", "check: [web, port]",
             edited("type: tcp", "type: tcp\n    via: tunnel\ndata_path: {uplinks: [eth0]}"));
  for (const auto* forward : {"direct", "tunnel"}) {
    EXPECT_THAT(errorsOf(edited("forward: direct", "forward: " + std::string(forward), text)),
                IsEmpty());
  }
  const auto masquerade = edited("forward: direct", "forward: masquerade", text);
  EXPECT_THAT(errorsOf(masquerade),
              ElementsAre("f:23:18: pools.edge.check[1]: found 'port', a check with `via: tunnel`, "
                          "expected one with `via: direct`, because of `forward: masquerade`"));
  EXPECT_THAT(errorsOf(edited("[web, port]", "port", masquerade)),
              ElementsAre(HasSubstr("f:23:12: pools.edge.check: found 'port', a check")));
  EXPECT_THAT(errorsOf(edited("[web, port]", "web", masquerade)), IsEmpty());
}

TEST(ValidateChecks, AServerPortIsWhereChecksProbeWhateverPortsTheServiceHas) {
  const auto text = edited("quorum: 1", "mark: 7");
  EXPECT_THAT(errorsOf(text), ElementsAre(HasSubstr("checks.web.port: found no such key")));
  EXPECT_THAT(
      errorsOf(edited("forward: direct", "forward: masquerade\n    server_port: 8080", text)),
      IsEmpty());
}

TEST(ValidateChecks, NoServiceHasAMarkOfTheDataPath) {
  const auto withMark = [](const std::string& mark, const std::string& more = "") {
    return errorsOf(edited("quorum: 1", "mark: " + mark, edited("path: /up", "port: 80")) + more);
  };
  EXPECT_THAT(withMark("2130706431"), IsEmpty());
  EXPECT_THAT(withMark("2130771968"), IsEmpty());
  for (const std::string mark : {"2130706432", "2130771967"}) {
    EXPECT_THAT(withMark(mark),
                ElementsAre("f:30:11: services.shop.mark: found " + mark +
                            ", which is one of l4ward's own (data_path.marks), expected a mark "
                            "outside of 2130706432 to 2130771967"));
  }
  const std::string own = "data_path: {marks: 0x10-0x1f}\n";
  EXPECT_THAT(withMark("2130706432", own), IsEmpty());
  EXPECT_THAT(withMark("31", own), ElementsAre(HasSubstr("outside of 16 to 31")));
  EXPECT_THAT(withMark("2130706432", "data_path: {marks: none}\n"),
              ElementsAre(HasSubstr("data_path.marks: found 'none'")));
}

TEST(ValidateChecks, WhichTypesNeedTheServicesPort) {
  const auto errors = [](const std::string& check) {
    return errorsOf("checks: {c: {" + check +
                    "}}\npools: {p: {check: [c], servers: [192.0.2.1]}}\n"
                    "services: {s: {vips: [198.51.100.1], mark: 7, pool: p}}\n");
  };
  for (const auto* check :
       {"type: icmp", "type: exec, command: [/a]", "type: file, path: /a", "type: dns, name: a",
        "type: agent, port: 1", "type: tcp, port: 1", "type: udp, send: x, port: 1"}) {
    EXPECT_THAT(errors(check), IsEmpty()) << check;
  }
  for (const auto* check :
       {"type: tcp", "type: http", "type: https", "type: udp, send: x", "type: grpc"}) {
    EXPECT_THAT(errors(check), ElementsAre("f:1:10: checks.c.port: found no such key, expected a "
                                           "port, because service 's' has no single one"))
        << check;
  }
  EXPECT_THAT(errors("type: smtp"), ElementsAre(HasSubstr("checks.c.type: found 'smtp'")));
}

TEST(ValidateChecks, EveryCheckOfAPoolNeedsItsPort) {
  const auto text = edited("quorum: 1", "mark: 7", edited("check: web", "check: [web, port]"));
  EXPECT_THAT(errorsOf(text), ElementsAre(HasSubstr("f:10:3: checks.web.port: found no such key"),
                                          HasSubstr("f:16:3: checks.port.port: found no such "
                                                    "key")));
}

}  // namespace
}  // namespace l4ward::config
