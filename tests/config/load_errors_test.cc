// The file as a whole: types, keys, top-level values.
#include "config/load.h"
#include "site_text.h"

namespace l4ward::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(LoadErrors, TheBaseOfAllEditsIsRight) {
  EXPECT_THAT(errorsOf(kSiteText), IsEmpty());
}

class Top : public testing::TestWithParam<Mistake> {};

TEST_P(Top, IsOneError) {
  expectError(GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    LoadErrors, Top,
    testing::Values(
        Mistake{"node: lb-1", "node: lb 1",
                "1:7: node: found 'lb 1', expected 1 to 64 letters, digits, '.', '_' or '-'"},
        Mistake{"node: lb-1", "node: [lb-1]",
                "1:7: node: found a list, expected 1 to 64 letters, digits, '.', '_' or '-'"},
        Mistake{"interface: lo", "interface: too-long-a-name-",
                "2:12: interface: found 'too-long-a-name-', expected the name of an interface, 1 "
                "to 15 characters"},
        Mistake{"interface: lo", "interface:",
                "2:1: interface: found nothing, expected the name of an interface, 1 to 15 "
                "characters"},
        Mistake{"interface: lo", "interfaces: lo",
                "2:1: interfaces: found the key 'interfaces', expected a key that is known here "
                "(did you mean 'interface'?)"},
        Mistake{"interface: lo", "vrrp: lo",
                "2:1: vrrp: found the key 'vrrp', expected a key that is known here: node "
                "interface bgp checks pools services vips ipvs sysctls drain_limit "
                "announce_deadline shutdown on_all_down data_path control"},
        Mistake{"interface: lo", "node: lb-2",
                "2:1: node: found the key 'node' a second time, expected it once (line 1 has it "
                "too)"},
        Mistake{"interface: lo", "drain_limit: 25h",
                "2:14: drain_limit: found '25h', expected a duration such as 500ms, 2s or 5m, "
                "from 0s to 24h"},
        Mistake{"interface: lo", "announce_deadline: 5",
                "2:20: announce_deadline: found '5', expected a duration such as 500ms, 2s or 5m, "
                "from 0s to 1h"},
        Mistake{"interface: lo", "shutdown: 5s", "2:11: shutdown: found '5s', expected a map"},
        Mistake{"interface: lo", "shutdown: {drain: -5s}",
                "2:19: shutdown.drain: found '-5s', expected a duration such as 500ms, 2s or 5m, "
                "from 0s to 1h"},
        Mistake{"interface: lo", "shutdown: {wait: 5s}",
                "2:12: shutdown.wait: found the key 'wait', expected a key that is known here: "
                "on_stop graceful drain"},
        Mistake{"interface: lo", "sysctls: [a]", "2:10: sysctls: found a list, expected a map"},
        Mistake{"interface: lo", "sysctls: {kernel.core_pattern: x}",
                "2:11: sysctls[\"kernel.core_pattern\"]: found the key 'kernel.core_pattern', "
                "expected net.ipv4.vs.KEY, or net.ipv4.conf.INTERFACE.KEY, or the same of ipv6"},
        Mistake{"interface: lo", "sysctls: {net.ipv4.vs.conntrack: [1]}",
                "2:34: sysctls[\"net.ipv4.vs.conntrack\"]: found a list, expected a value such as "
                "1, or keep"},
        Mistake{"interface: lo", "sysctls: {net.ipv4.vs.x: 1, net.ipv4.vs.x: 2}",
                "2:29: sysctls[\"net.ipv4.vs.x\"]: found the key 'net.ipv4.vs.x' a second time, "
                "expected it once (line 2 has it too)"}));

TEST(LoadErrors, EmptyAndForeignFiles) {
  const std::string empty = "f: found an empty file, expected a site file with at least `services`";
  EXPECT_THAT(errorsOf(""), ElementsAre(empty));
  EXPECT_THAT(errorsOf("# nothing yet\n"), ElementsAre(empty));
  EXPECT_THAT(errorsOf("just words\n"), ElementsAre("f:1:1: found 'just words', expected a map"));
  EXPECT_THAT(errorsOf("- a\n- b\n"), ElementsAre("f:1:1: found a list, expected a map"));
  EXPECT_THAT(errorsOf("a: 1\n---\nb: 2\n"), ElementsAre(HasSubstr("one document a file")));
}

TEST(LoadErrors, ServicesMustBeSaid) {
  EXPECT_THAT(errorsOf("node: a\n"),
              ElementsAre("f:1:1: services: found no such key, expected a map of services; {} for "
                          "none"));
  EXPECT_THAT(errorsOf("services:\n"),
              ElementsAre("f:1:1: services: found nothing, expected a map"));
  EXPECT_THAT(errorsOf("services: {}\n"), IsEmpty());
}

TEST(LoadErrors, AHostNameThatIsNoNodeName) {
  const auto site = loadSite("services: {}\n", "f", "bad host");
  ASSERT_FALSE(site);
  EXPECT_EQ(site.error().at(0).str(),
            "f: node: found no such key, and the host name is 'bad host', expected this node's "
            "name: 1 to 64 letters, digits, '.', '_' or '-'");
  EXPECT_TRUE(loadSite("node: good\nservices: {}\n", "f", "bad host"));
}

TEST(LoadErrors, AllAtOnceInTheOrderOfTheFile) {
  EXPECT_THAT(errorsOf("services:\n  s: {vips: [x], ports: [0], pool: p, colour: red}\n"
                       "checks:\n  c: {type: tcp, rise: 0}\n"
                       "pools:\n  p: {check: d, servers: []}\n"
                       "nodes: a\n"),
              ElementsAre(StartsWith("f:2:14: services.s.vips[0]: found 'x'"),
                          StartsWith("f:2:26: services.s.ports[0]: found '0'"),
                          StartsWith("f:2:39: services.s.colour: found the key"),
                          StartsWith("f:4:24: checks.c.rise: found '0'"),
                          StartsWith("f:6:14: pools.p.check: found 'd'"),
                          StartsWith("f:6:26: pools.p.servers: found an empty list"),
                          StartsWith("f:7:1: nodes: found the key 'nodes'")));
}

TEST(LoadErrors, ABadValueDoesNotHideTheRestOfItsMap) {
  EXPECT_THAT(errorsOf("services: []\nchecks: 5\npools: {p: x}\nbgp: ~\n"),
              ElementsAre("f:1:11: services: found a list, expected a map",
                          "f:2:9: checks: found '5', expected a map",
                          "f:3:12: pools.p: found 'x', expected a map",
                          "f:4:1: bgp: found nothing, expected a map"));
}

}  // namespace
}  // namespace l4ward::config
