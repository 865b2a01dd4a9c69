#include "agent/alarms.h"

#include <gmock/gmock.h>

#include <functional>

namespace l4ward::agent {
namespace {

using control::NodeStatus;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A node on which all is well.
NodeStatus well() {
  NodeStatus status;
  status.at = 10'000;
  status.node.phase = "running";
  status.node.ready = true;
  status.node.interface = "lo";
  status.node.siteFile = "/etc/l4ward/site.yaml";
  status.relay = {true, true, true, false, 1};
  status.neighbors = {{"192.0.2.1", 65000, "up", "", 100, 1},
                      {"192.0.2.2", 65000, "up", "", 100, 1}};
  control::Vip vip;
  vip.prefix = "198.51.100.1/32";
  vip.state = "announced";
  vip.onInterface = true;
  status.vips = {vip};
  control::Service service;
  service.key = "tcp 198.51.100.1:80";
  service.name = "web";
  service.pool = "edge";
  service.backupPool = "spare";
  service.programmed = service.quorum = true;
  service.quorumText = "2 of 2 servers up, quorum 1";
  service.uses = "checked";
  status.services = {service, service};
  status.services[1].key = "tcp 198.51.100.1:443";
  status.servers = {{"edge", "lb7-1", {"192.0.2.101"}, 1, "up", "", 100, 0, 0},
                    {"edge", "lb7-2", {"192.0.2.102"}, 1, "up", "", 100, 0, 0}};
  for (const auto& server : status.servers) {
    control::Check check;
    check.name = "healthz";
    check.server = server.name;
    check.health = "up";
    status.checks.push_back(check);
  }
  return status;
}

TEST(Alarms, NoneWhereAllIsWell) {
  EXPECT_THAT(alarmsOf(well(), 0), IsEmpty());
}

struct Case {
  const char* id;
  const char* severity;
  const char* subject;
  const char* text;
  const char* next;
  std::function<void(NodeStatus&)> spoil;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.id;
}

void down(control::Server& server, double since = 200) {
  server.state = "down";
  server.because = "healthz: connection refused";
  server.since = since;
}

class OneAlarm : public testing::TestWithParam<Case> {};

TEST_P(OneAlarm, SaysWhatIsWrongAndWhatToType) {
  const auto& expected = GetParam();
  auto status = well();
  expected.spoil(status);
  const auto alarms = alarmsOf(status, 0);
  ASSERT_EQ(alarms.size(), 1U);
  EXPECT_EQ(alarms[0].id, expected.id);
  EXPECT_EQ(alarms[0].severity, expected.severity);
  EXPECT_EQ(alarms[0].subject, expected.subject);
  EXPECT_THAT(alarms[0].text, HasSubstr(expected.text));
  EXPECT_EQ(alarms[0].next, expected.next);
}

INSTANTIATE_TEST_SUITE_P(
    All, OneAlarm,
    testing::Values(
        Case{"node.suspect", "critical", "node", "at once", "l4wardctl checks",
             [](NodeStatus& s) { s.node.suspect = true; }},
        Case{"config.reload_failed", "warning", "/etc/l4ward/site.yaml", "2 mistakes",
             "l4ward --check --config /etc/l4ward/site.yaml",
             [](NodeStatus& s) {
               s.node.reloads = {1, 1, 300, false, "2 mistakes"};
             }},
        Case{"bgp.relay_lost", "critical", "BGP", "not connected", "l4wardctl bgp",
             [](NodeStatus& s) { s.relay.connected = false; }},
        Case{"bgp.unheard", "critical", "BGP", "no router hears", "l4wardctl bgp",
             [](NodeStatus& s) { s.relay.unheard = true; }},
        Case{"bgp.session_down", "warning", "neighbor 192.0.2.2", "hold timer", "l4wardctl bgp",
             [](NodeStatus& s) {
               s.neighbors[1].state = "down";
               s.neighbors[1].reason = "hold timer expired";
             }},
        Case{"pool.dead", "critical", "pool edge", "connection refused",
             "l4wardctl servers --pool edge",
             [](NodeStatus& s) {
               for (auto& server : s.servers) down(server);
             }},
        Case{"pool.dead", "critical", "pool edge", "none of its 2 servers",
             "l4wardctl servers --pool edge",
             [](NodeStatus& s) {
               down(s.servers[0]);
               s.servers[1].state = "disabled";
             }},
        Case{"server.down", "warning", "server edge/lb7-2", "connection refused",
             "l4wardctl checks --server lb7-2", [](NodeStatus& s) { down(s.servers[1]); }},
        Case{"pool.quorum_lost", "critical", "service web", "0 of 2 servers up",
             "l4wardctl services",
             [](NodeStatus& s) {
               for (auto& service : s.services) {
                 service.quorum = false;
                 service.quorumText = "0 of 2 servers up, quorum 1";
               }
             }},
        Case{"service.not_programmed", "critical", "service web", "tcp 198.51.100.1:443",
             "l4wardctl events", [](NodeStatus& s) { s.services[1].programmed = false; }},
        Case{"service.panic", "critical", "service web", "not believed", "l4wardctl checks",
             [](NodeStatus& s) { s.services[0].uses = "all"; }},
        Case{"service.backup", "warning", "service web", "pool spare", "l4wardctl services",
             [](NodeStatus& s) { s.services[0].uses = "backup"; }},
        Case{"vip.missing", "critical", "vip 198.51.100.1/32", "interface lo", "l4wardctl events",
             [](NodeStatus& s) { s.vips[0].onInterface = false; }},
        Case{"vip.held_down", "warning", "vip 198.51.100.1/32", "20 seconds", "l4wardctl events",
             [](NodeStatus& s) { s.vips[0].heldUntil = 10'019.5; }},
        Case{"check.broken", "warning", "check healthz", "lb7-1, lb7-2: no route",
             "l4wardctl checks",
             [](NodeStatus& s) {
               for (auto& check : s.checks) {
                 check.localError = true;
                 check.last.reason = "no route to 192.0.2.101";
               }
             }},
        Case{"check.warning", "warning", "check healthz", "lb7-2: certificate", "l4wardctl checks",
             [](NodeStatus& s) { s.checks[1].warning = "certificate expires in 3 days"; }}));

TEST(Alarms, AServerThatOnlyDrainsIsNoAlarm) {
  auto status = well();
  for (auto& server : status.servers) server.state = "draining";
  EXPECT_THAT(alarmsOf(status, 0), IsEmpty());
}

// Nothing has its verdict yet, so nothing is wrong.
TEST(Alarms, AStartingNodeIsNotInTrouble) {
  auto status = well();
  status.node.phase = "starting";
  status.node.ready = false;
  status.vips[0].onInterface = false;
  for (auto& service : status.services) service.programmed = service.quorum = false;
  for (auto& server : status.servers) server.state = "unknown";
  for (auto& neighbor : status.neighbors) neighbor.state = "unknown";
  EXPECT_THAT(alarmsOf(status, 0), IsEmpty());
}

// Once it has been ready, what is missing is missing.
TEST(Alarms, ANodeThatIsNotReadyAnyMoreIsInTrouble) {
  auto status = well();
  status.node.ready = false;
  status.services[0].programmed = false;
  ASSERT_EQ(alarmsOf(status, 0).size(), 1U);
  EXPECT_EQ(alarmsOf(status, 0)[0].id, "service.not_programmed");
}

TEST(Alarms, WithoutBgpNothingIsSaidOfIt) {
  auto status = well();
  status.relay = {};
  EXPECT_THAT(alarmsOf(status, 0), IsEmpty());
}

TEST(Alarms, DriftIsShownForAWhile) {
  const auto status = well();
  ASSERT_EQ(alarmsOf(status, status.at - 60).size(), 1U);
  EXPECT_EQ(alarmsOf(status, status.at - 60)[0].id, "ipvs.drift");
  EXPECT_THAT(alarmsOf(status, status.at - 3600), IsEmpty());
}

TEST(Alarms, TheWorstComesFirstThenTheOldest) {
  auto status = well();
  status.servers.push_back({"edge", "lb7-3", {}, 1, "up", "", 100, 0, 0});
  down(status.servers[0], 300);
  down(status.servers[1], 200);
  status.relay.unheard = true;
  std::vector<std::string> subjects;
  for (const auto& alarm : alarmsOf(status, 0)) subjects.push_back(alarm.subject);
  EXPECT_THAT(subjects, ElementsAre("BGP", "server edge/lb7-2", "server edge/lb7-1"));
}

TEST(Alarms, ACheckThatIsBrokenForManyIsOneAlarm) {
  auto status = well();
  for (int i = 0; i < 500; ++i) {
    auto check = status.checks[0];
    check.localError = true;
    check.last.reason = "no local port is free";
    status.checks.push_back(check);
  }
  const auto alarms = alarmsOf(status, 0);
  ASSERT_EQ(alarms.size(), 1U);
  EXPECT_THAT(alarms[0].text, HasSubstr("500 servers"));
}

}  // namespace
}  // namespace l4ward::agent
