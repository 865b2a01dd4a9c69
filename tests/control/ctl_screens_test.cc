#include "control/ctl/screens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "control/ctl/screen_buffer.h"
#include "tests/control/ctl_samples.h"

namespace l4ward::ctl {
namespace {

using namespace testing;  // NOLINT: the samples
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> linesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}
std::string lineWith(const std::string& text, const std::string& part) {
  for (const auto& line : linesOf(text)) {
    if (line.find(part) != line.npos) return line;
  }
  return "";
}
std::size_t widest(const std::string& text) {
  std::size_t most = 0;
  for (const auto& line : linesOf(text)) most = std::max(most, columnsOf(line));
  return most;
}
std::string plainStatus(const control::NodeStatus& status, std::size_t width = 100) {
  return statusScreen(status, {width, false}, 12);
}

TEST(StatusScreen, NothingWrong) {
  const auto text = plainStatus(wellNode());
  const auto first = linesOf(text).front();
  for (const char* part : {"lb4-1", "0.1.0", "running", "3d 4h", "UTC"}) {
    EXPECT_THAT(first, HasSubstr(part));
  }
  EXPECT_THAT(text, HasSubstr("all is well"));
  EXPECT_THAT(text, Not(HasSubstr("OVERRIDE")));
  EXPECT_THAT(lineWith(text, "edge ").c_str(), HasSubstr("3"));
  // One line for the four IPVS services of `web`, with their connections together.
  EXPECT_THAT(lineWith(text, "tcp 198.51.100.1:80"), HasSubstr("+3"));
  EXPECT_THAT(lineWith(text, "tcp 198.51.100.1:80"), HasSubstr("4936"));
  EXPECT_LE(linesOf(text).size(), 24U) << "it fits a terminal";
}

TEST(StatusScreen, AnObserverSaysSoOnTop) {
  auto status = observingNode();
  EXPECT_EQ(linesOf(plainStatus(status))[1],
            "OBSERVES ONLY, changes nothing  2 differences: l4wardctl plan");
  status.differences.clear();
  EXPECT_THAT(linesOf(plainStatus(status))[1], HasSubstr("as it would have it"));
  EXPECT_THAT(plainStatus(wellNode()), Not(HasSubstr("OBSERVES")));
}

TEST(DifferencesScreen, NamesOperationsBelowTheirService) {
  const auto text = differencesScreen(observingNode(), {80, false});
  EXPECT_THAT(lineWith(text, "tcp 198.51.100.1:80"), HasSubstr("moves"));
  EXPECT_LT(text.find("edit 192.0.2.102:80"), text.find("edge/lb7-2"));
  EXPECT_THAT(text, HasSubstr("2 differences. Nothing has been changed.\n"));
  EXPECT_LE(widest(text), 80U);
  EXPECT_THAT(differencesScreen(wellNode(), {}), HasSubstr("as this agent would have it"));
}

TEST(StatusScreen, WhatIsWrongStandsOnTopWithWhatToType) {
  const auto text = plainStatus(brokenNode());
  EXPECT_THAT(text, Not(HasSubstr("all is well")));
  const auto at = [&](const char* part) { return text.find(part); };
  EXPECT_LT(at("no server is up"), at("NEIGHBOR"));
  EXPECT_LT(at("no server is up"), at("is it forgotten"));
  EXPECT_NE(at("-> l4wardctl servers --pool edge"), text.npos);
  EXPECT_THAT(linesOf(text).front(), HasSubstr("not ready"));
  EXPECT_THAT(linesOf(text).front(), HasSubstr("suspects itself"));
  EXPECT_THAT(lineWith(text, "server edge/lb7-1 "), HasSubstr("25m"));
  EXPECT_THAT(lineWith(text, "198.51.100.1/32  "), HasSubstr("withdrawn"));
  EXPECT_THAT(text, HasSubstr("0 of 3 servers up, quorum 1"));
  EXPECT_THAT(text, HasSubstr("lb7-2 down"));
  EXPECT_THAT(text, HasSubstr("NO"));
}

TEST(StatusScreen, MeaningDoesNotRestOnColour) {
  auto coloured = statusScreen(brokenNode(), {100, true}, 12);
  for (auto at = coloured.find('\033'); at != coloured.npos; at = coloured.find('\033')) {
    coloured.erase(at, coloured.find('m', at) - at + 1);
  }
  EXPECT_EQ(coloured, plainStatus(brokenNode()));
}

TEST(StatusScreen, OneScreenShowsFirstWhatIsNotWell) {
  const auto text = plainStatus(largeNode(100));
  EXPECT_LE(linesOf(text).size(), 60U);
  // The last of the hundred is the one that is down.
  EXPECT_THAT(lineWith(text, "service-099"), HasSubstr("withdrawn"));
  EXPECT_THAT(text, HasSubstr("server-099 down"));
  EXPECT_THAT(text, HasSubstr("and 88 more, all well: l4wardctl services"));
  EXPECT_THAT(statusScreen(largeNode(100), {100, false}, 0), HasSubstr("service-050"));
}

TEST(StatusScreen, FitsNarrowTerminals) {
  for (const auto& node : {wellNode(), brokenNode(), largeNode(100)}) {
    EXPECT_LE(widest(plainStatus(node, 100)), 100U);
    EXPECT_LE(widest(plainStatus(node, 90)), 90U);
  }
}

TEST(StatusScreen, LongNamesAreCutOnlyWhereThereIsNoRoom) {
  auto node = wellNode();
  const std::string name(64, 'n');
  for (auto& service : node.services) service.name = name;
  node.vips[0].services = {name};
  EXPECT_LE(widest(plainStatus(node, 100)), 100U);
  EXPECT_THAT(statusScreen(node, {}, 12), HasSubstr(name)) << "a pipe gets all of it";
}

TEST(StatusScreen, DataCannotSteerTheTerminal) {
  auto node = brokenNode();
  node.node.name = "lb\0334-1";
  node.alarms[0].text = "text\033[2J\nnext";
  node.alarms[0].next = "rm\r";
  node.overrides[0].reason = "re\tason\x9b";
  node.vips[0].because = "\033]0;title\a";
  node.servers[0].because = "\033c";
  node.checks[0].last.reason = "\033c";
  for (const auto& text : {plainStatus(node), serversScreen(node, {}, {}),
                           checksScreen(node, {{}, true}, {}), servicesScreen(node, {}),
                           vipsScreen(node, {}), bgpScreen(node, {}), overridesScreen(node, {})}) {
    for (const char c : text) {
      EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << text;
    }
  }
}

TEST(StatusScreen, UnknownIsNotZero) {
  auto node = wellNode();
  node.countersAt = 0;
  for (auto& service : node.services) service.connections = 0;
  EXPECT_THAT(lineWith(plainStatus(node), "tcp 198.51.100.1:80"), HasSubstr(" -"));
  node.node.startedAt = 0;
  EXPECT_THAT(linesOf(plainStatus(node)).front(), Not(HasSubstr("1970")));
}

TEST(StatusScreen, AnEmptySiteSaysWhatToDoNext) {
  control::NodeStatus status;
  status.node.siteFile = "/etc/l4ward/site.yaml";
  const auto text = plainStatus(status);
  EXPECT_THAT(text, HasSubstr("nothing to do: /etc/l4ward/site.yaml has no services\n"));
  EXPECT_THAT(text, HasSubstr("-> l4wardctl reload"));
  EXPECT_THAT(text, Not(HasSubstr("all is well")));
  EXPECT_LE(widest(text), 80U);
  status.alarms.push_back({"warning", "reload.failed", "site file", "a mistake", "", 0});
  EXPECT_THAT(plainStatus(status), Not(HasSubstr("nothing to do"))) << "what is wrong goes first";
}

TEST(StatusScreen, AnEmptyNode) {
  EXPECT_THAT(statusScreen({}, {80, true}, 12), HasSubstr("nothing to do: the site file"));
  for (const auto& text :
       {servicesScreen({}, {}), serversScreen({}, {}, {}), checksScreen({}, {}, {}),
        vipsScreen({}, {}), bgpScreen({}, {}), overridesScreen({}, {}), digestScreen({}, {})}) {
    EXPECT_FALSE(text.empty());
  }
}

TEST(ServersScreen, SaysStateWhySinceWhenShareAndOverride) {
  const auto text = serversScreen(brokenNode(), {}, {100, false});
  const auto line = lineWith(text, "lb7-1");
  for (const char* part :
       {"draining", "3m ago", "0 of 1", "33.3%", "120", "7", "drain 25m", "drained by anna"}) {
    EXPECT_THAT(line, HasSubstr(part));
  }
  EXPECT_EQ(linesOf(text).back(), "1 draining, 2 down");
  EXPECT_THAT(serversScreen(wellNode(), {}, {}), Not(HasSubstr("OVERRIDE")));
  EXPECT_LE(widest(text), 100U);
}

TEST(ServersScreen, Filters) {
  auto node = brokenNode();
  node.servers.push_back(server("other", "db-1", "up"));
  const auto shown = [&](const ServerFilter& filter) {
    return serversScreen(node, {filter, false}, {});
  };
  EXPECT_THAT(shown({"other", "", false}), Not(HasSubstr("lb7-1")));
  EXPECT_THAT(shown({"", "web", false}), Not(HasSubstr("db-1")));
  EXPECT_THAT(shown({"", "tcp 198.51.100.1:80", false}), HasSubstr("lb7-1"));
  EXPECT_THAT(shown({"", "", true}), Not(HasSubstr("db-1")));
  EXPECT_EQ(shown({"other", "", true}), "every server is up\n");
}

TEST(ServersScreen, SharesOfServicesThatDiffer) {
  auto node = wellNode();
  node.services[0].destinations[0].share = 0.25;
  EXPECT_THAT(serversScreen(node, {}, {}), HasSubstr("25.0% to 33.3%"));
  EXPECT_THAT(
      lineWith(serversScreen(node, {{"", "tcp 198.51.100.1:80", false}, false}, {}), "lb7-1"),
      HasSubstr("25.0%  "));
}

TEST(ServersScreen, TheStrongerOverrideIsShown) {
  auto node = brokenNode();
  auto everywhere = node.overrides[0];
  everywhere.subject.pool.clear();
  everywhere.action = control::Action::disable;
  everywhere.until = 0;
  node.overrides.push_back(everywhere);
  EXPECT_THAT(lineWith(serversScreen(node, {}, {}), "lb7-1"), HasSubstr("disable"));
  EXPECT_THAT(lineWith(serversScreen(node, {}, {}), "lb7-2"), Not(HasSubstr("disable")));
}

TEST(ChecksScreen, SaysWhatCameBack) {
  auto node = brokenNode();
  node.checks[0].toward = "down";
  node.checks[0].streak = 2;
  node.checks[0].needed = 3;
  const auto text = checksScreen(node, {}, {100, false});
  EXPECT_THAT(lineWith(text, "lb7-1"), HasSubstr("2 of 3 to down"));
  EXPECT_THAT(lineWith(text, "lb7-2"), HasSubstr("fail"));
  EXPECT_THAT(text, HasSubstr("status 503"));
  EXPECT_THAT(text, HasSubstr("12ms"));
  EXPECT_LE(widest(text), 100U);
  EXPECT_EQ(checksScreen(wellNode(), {{"", true}, false}, {}), "no check fails\n");
  EXPECT_THAT(checksScreen(node, {{"", true}, false}, {}), HasSubstr("lb7-1")) << "on the way down";
}

TEST(ChecksScreen, VerboseHasTheHistory) {
  const auto text = checksScreen(wellNode(), {{"lb7-1", false}, true}, {});
  EXPECT_THAT(text, HasSubstr("probes: 4000 pass, 12 status"));
  EXPECT_THAT(text, HasSubstr("2026-09-21 14:10:00 UTC, 3m ago: pass"));
  EXPECT_THAT(text, Not(HasSubstr("lb7-2")));
  EXPECT_THAT(checksScreen(brokenNode(), {{"lb7-2", false}, true}, {}),
              HasSubstr("fail (status): status 503"));
}

TEST(BgpScreen, SaysWhoIsToldAndWhoIsNot) {
  EXPECT_THAT(bgpScreen(wellNode(), {}), HasSubstr("192.0.2.1, 2001:db8::1"));
  const auto broken = bgpScreen(brokenNode(), {});
  EXPECT_THAT(broken, HasSubstr("nobody hears it"));
  EXPECT_THAT(broken, HasSubstr("peer reset"));
  EXPECT_THAT(lineWith(broken, "198.51.100.1/32"), HasSubstr("nobody"));
  EXPECT_THAT(bgpScreen({}, {}), HasSubstr("not configured"));
}

TEST(VipsScreen, HeldByDamping) {
  auto node = brokenNode();
  node.vips[0].heldUntil = kNow + 90;
  EXPECT_THAT(lineWith(vipsScreen(node, {}), "198.51.100.1/32"), HasSubstr("1m"));
}

TEST(DigestScreen, TheTotalTellsNodesApart) {
  auto node = wellNode();
  EXPECT_EQ(totalDigest(node), totalDigest(wellNode()));
  node.services[3].digest = "5c1f0a7be2d94c32";
  EXPECT_NE(totalDigest(node), totalDigest(wellNode()));
  node.services[3].digest.clear();
  EXPECT_THAT(digestScreen(node, {}), HasSubstr("not known"));
  EXPECT_THAT(digestScreen(node, {}), HasSubstr("over 4 services"));
}

TEST(LookupScreen, SaysAllOfIt) {
  control::Lookup lookup;
  lookup.client = "203.0.113.9:40000";
  lookup.vip = "198.51.100.1:443";
  lookup.service = "tcp 198.51.100.1:443";
  lookup.name = "web";
  lookup.slots = 4093;
  lookup.slot = 17;
  lookup.owner = "192.0.2.102:443";
  lookup.ownerName = "lb7-2";
  lookup.text = "A sentence.";
  EXPECT_THAT(lookupScreen(lookup, {}), HasSubstr("is refused"));
  lookup.fallback = true;
  lookup.server = "192.0.2.101:443";
  lookup.serverName = "lb7-1";
  lookup.held = "192.0.2.103:443";
  lookup.heldState = "ESTABLISHED";
  const auto text = lookupScreen(lookup, {80, false});
  EXPECT_EQ(linesOf(text).front(), "A sentence.");
  EXPECT_THAT(lineWith(text, "slot "), HasSubstr("17 of 4093, of lb7-2 (192.0.2.102:443)"));
  EXPECT_THAT(lineWith(text, "new flow"), HasSubstr("lb7-1 (192.0.2.101:443)"));
  EXPECT_THAT(lineWith(text, "in kernel"), HasSubstr("ESTABLISHED: 192.0.2.103:443"));
}

TEST(EventLine, OneLineWhateverIsInIt) {
  const control::Event event{
      7, kNow, "warning", "server.down", {{"server", "lb7-2"}, {"reason", "a \"b\"\nc\033"}}};
  const auto line = eventLine(event, {});
  EXPECT_EQ(line,
            "2026-09-21 14:13:20  warning  server.down server=lb7-2 reason=\"a \\\"b\\\"?c?\"\n");
}

TEST(Frame, ShowsAWindowAndClearsWhatWasThere) {
  std::size_t top = 0;
  const Window window{4, 20};
  const auto small = frame("one\ntwo\n", "foot", window, top);
  EXPECT_THAT(small, HasSubstr("one\033[K\r\ntwo\033[K\r\n\033[K\r\nfoot"));
  EXPECT_EQ(small.find("\033[2J"), small.npos) << "clearing the screen first would flicker";
  top = 99;
  const auto text = frame("1\n2\n3\n4\n5\n", "foot", window, top);
  EXPECT_EQ(top, 2U) << "not beyond the end";
  EXPECT_THAT(text, HasSubstr("3\033[K\r\n4\033[K\r\n5"));
  EXPECT_THAT(text, HasSubstr("lines 3 to 5 of"));
  top = 3;
  frame("", "", {1, 1}, top);
  EXPECT_EQ(top, 0U);
}

}  // namespace
}  // namespace l4ward::ctl
