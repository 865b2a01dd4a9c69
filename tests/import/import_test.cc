// What virtual servers become.
#include <gmock/gmock.h>

#include "tests/import/import_fixture.h"

namespace l4ward::keepalived {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// A virtual server of two servers, with `inner` in it and `perServer` in each.
std::string virtualServer(const std::string& head, const std::string& port,
                          const std::string& inner, const std::string& perServer) {
  const auto server = [&](const char* address) {
    return "real_server " + std::string(address) + " " + port + " {\n" + perServer + "\n}\n";
  };
  return "virtual_server " + head + " {\nlb_algo mh\nlb_kind TUN\n" + inner + "\n" +
         server("192.0.2.101") + server("192.0.2.102") + "}\n";
}

std::vector<std::string> vipsOf(const config::Service& service) {
  std::vector<std::string> vips;
  for (const auto& vip : service.vips) vips.push_back(vip.shortStr());
  return vips;
}

TEST(Timing, OfAllThreeLevels) {
  const auto result =
      importOf(virtualServer("198.51.100.1 80", "80", "delay_loop 6\nretry 2\nconnect_timeout 3",
                             "delay_before_retry 1.5\nTCP_CHECK {\nretry 3\n}"));
  ASSERT_THAT(result.site.checks, SizeIs(1));
  const auto& check = result.site.checks.begin()->second;
  EXPECT_EQ(check.interval, 6s);
  EXPECT_EQ(check.downInterval, 6s);
  EXPECT_EQ(check.fastInterval, 1500ms);
  EXPECT_EQ(check.timeout, 3s);
  EXPECT_EQ(check.rise, 1U);
  EXPECT_EQ(check.fall, 4U);                      // the first failure and three retries
  ASSERT_THAT(result.about("retry"), SizeIs(1));  // the virtual server's does nothing
  EXPECT_EQ(result.about("retry")[0].level, Level::note);
  EXPECT_EQ(result.about("retry")[0].line, 5);
}

struct Default {
  const char* checker;
  unsigned fall;
  Millis fast;
};

TEST(Timing, DefaultsOfKeepalived) {
  const Default cases[] = {{"TCP_CHECK {\n}", 2, 1s},
                           {"HTTP_GET {\nurl {\npath /\n}\n}", 2, 3s},
                           {"DNS_CHECK {\n}", 4, 1min},
                           {"MISC_CHECK {\nmisc_path /bin/true\n}", 1, 1s}};
  for (const auto& [checker, fall, fast] : cases) {
    const auto result = importOf(virtualServer("198.51.100.1 53", "53", "", checker));
    ASSERT_THAT(result.site.checks, SizeIs(1)) << checker;
    const auto& check = result.site.checks.begin()->second;
    EXPECT_EQ(check.interval, 1min) << checker;
    EXPECT_EQ(check.fall, fall) << checker;
    EXPECT_EQ(check.fastInterval, fast) << checker;
  }
}

TEST(Timing, WhatACheckCannotHaveIsReported) {
  const auto result = importOf(virtualServer(
      "198.51.100.1 80", "80", "",
      "TCP_CHECK {\ndelay_loop 2\nconnect_timeout 5\ndelay_before_retry 0.0004\nretry 500\n}"));
  const auto& check = result.site.checks.at("tcp");
  EXPECT_EQ(check.timeout, 2s);
  EXPECT_EQ(check.fastInterval, 10ms);
  EXPECT_EQ(check.fall, 100U);
  for (const auto* keyword : {"connect_timeout", "delay_before_retry", "retry"}) {
    ASSERT_FALSE(result.about(keyword).empty()) << keyword;
    EXPECT_EQ(result.about(keyword)[0].level, Level::changed) << keyword;
  }
}

TEST(Services, WithEqualPoolsAndPortsAreOne) {
  const auto check = "TCP_CHECK {\n}";
  const auto result = importOf(virtualServer("198.51.100.1 80", "80", "", check) +
                               virtualServer("198.51.100.1 443", "443", "", check) +
                               virtualServer("198.51.100.2 443", "443", "", check) +
                               virtualServer("198.51.100.2 80", "80", "", check) +
                               virtualServer("198.51.100.3 80", "80", "", check));
  EXPECT_THAT(result.site.checks, SizeIs(1));
  EXPECT_THAT(result.site.pools, SizeIs(1));
  ASSERT_THAT(result.site.services, SizeIs(2));
  const auto& both = result.site.services.at("198.51.100.1");
  EXPECT_THAT(vipsOf(both), ElementsAre("198.51.100.1", "198.51.100.2"));
  EXPECT_THAT(both.ports, ElementsAre(80, 443));
  EXPECT_THAT(vipsOf(result.site.services.at("198.51.100.1-2")), ElementsAre("198.51.100.3"));
}

TEST(Services, OfAGroupWithRanges) {
  const auto result = importOf(
      "virtual_server_group web {\n198.51.100.3-6 80\n198.51.100.5 443\n2001:db8::8/126 80\n"
      "2001:db8::e-11 80\n198.51.100.254-198.51.101.1 80\n}\n" +
      virtualServer("group web", "80", "", ""));
  std::set<std::string> at80;
  for (const auto& [name, service] : result.site.services) {
    for (const auto& vip : vipsOf(service)) {
      if (std::count(service.ports.begin(), service.ports.end(), 80) > 0) at80.insert(vip);
    }
  }
  EXPECT_THAT(at80,
              UnorderedElementsAre("198.51.100.3", "198.51.100.4", "198.51.100.5", "198.51.100.6",
                                   "2001:db8::8/126", "2001:db8::e/127", "2001:db8::10/127",
                                   "198.51.100.254/31", "198.51.101.0/31"));
}

TEST(Services, OverlappingRangesAreCutApart) {
  const auto result = importOf("virtual_server_group web {\n198.51.100.0/29 80\n}\n" +
                               virtualServer("group web", "80", "", "") +
                               virtualServer("198.51.100.5 443", "443", "", ""));
  std::uint64_t addresses = 0;
  for (const auto& [name, service] : result.site.services) {
    for (const auto& vip : service.vips) addresses += service.ports.size() * vip.size();
  }
  EXPECT_EQ(addresses, 9U);
}

TEST(Services, TakenTwiceAreReported) {
  const auto result = importOf(virtualServer("198.51.100.1 80", "80", "", "") +
                               virtualServer("198.51.100.1 80", "80", "lvs_sched wrr", ""));
  EXPECT_THAT(result.site.services, SizeIs(1));
  const auto lines = result.about("virtual_server");
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0].level, Level::lost);
  EXPECT_THAT(lines[0].why, HasSubstr("line 1 "));
}

TEST(Services, OfAMarkAreCommentsToFillIn) {
  auto result =
      importOf(virtualServer("fwmark 3", "", "protocol UDP", "TCP_CHECK {\nconnect_port 80\n}"));
  EXPECT_THAT(result.site.services, IsEmpty());
  ASSERT_THAT(result.about("virtual_server"), SizeIs(1));
  EXPECT_EQ(result.about("virtual_server")[0].level, Level::lost);
  // As the advice says: fill in, take the # away.
  auto& yaml = result.import.siteYaml;
  yaml.erase(yaml.find("services: {}"), 12);
  const auto at = yaml.find("#  fwmark-mark-3");
  auto service = yaml.substr(at);
  service.erase(std::remove(service.begin(), service.end(), '#'), service.end());
  service.replace(service.find("[]"), 2, "[198.51.100.1]");
  const auto site =
      config::loadSite(yaml.substr(0, at) + "services:\n" + service, "site.yaml", "node");
  ASSERT_TRUE(site) << site.error().front().str();
  EXPECT_EQ(site->services.at("fwmark-mark-3").mark, 3U);
}

TEST(Services, OfAllPortsNeedPersistence) {
  const auto without = importOf(virtualServer("198.51.100.1", "", "", ""));
  EXPECT_THAT(without.site.services, IsEmpty());
  EXPECT_EQ(without.about("virtual_server").at(0).level, Level::lost);
  const auto with = importOf(virtualServer("198.51.100.1", "", "persistence_timeout 60", ""));
  ASSERT_THAT(with.site.services, SizeIs(1));
  EXPECT_THAT(with.site.services.begin()->second.ports, ElementsAre(0));
}

struct QuorumCase {
  const char* text;
  unsigned lost;    // below this weight
  unsigned gained;  // from this weight on
};

// The pool's weight is 10. Keepalived: lost below quorum - hysteresis, gained at their sum.
TEST(Quorum, IsLostAndGainedAsWithKeepalived) {
  const QuorumCase cases[] = {{"", 1, 1},
                              {"quorum 7", 7, 7},
                              {"quorum 7\nhysteresis 2", 5, 9},
                              {"quorum 9\nhysteresis 4", 5, 10},
                              {"quorum 3\nhysteresis 5", 1, 5},
                              {"quorum 99", 10, 10}};
  for (const auto& [text, lost, gained] : cases) {
    const auto result = importOf(virtualServer("198.51.100.1 80", "80", text, "weight 5"));
    ASSERT_THAT(result.site.services, SizeIs(1));
    const auto& quorum = result.site.services.begin()->second.quorum;
    EXPECT_EQ(quorum.value, lost) << text;
    EXPECT_EQ(quorum.value + quorum.hysteresis, gained) << text;
  }
}

TEST(Pools, ServersWithOtherChecksAreReported) {
  const auto result = importOf(
      "virtual_server 198.51.100.1 80 {\nlvs_sched mh\nlvs_method DR\n"
      "real_server 192.0.2.1 80 {\nTCP_CHECK {\n}\n}\n"
      "real_server 192.0.2.2 80 {\nPING_CHECK {\n}\n}\n"
      "real_server 192.0.2.3 80 {\nTCP_CHECK {\n}\n}\n"
      "real_server 192.0.2.4 80 {\n}\n}\n");
  const auto& pool = result.site.pools.begin()->second;
  EXPECT_THAT(pool.checks, ElementsAre("tcp"));
  EXPECT_THAT(pool.servers, SizeIs(4));
  ASSERT_THAT(result.about("PING_CHECK"), SizeIs(1));
  EXPECT_EQ(result.about("PING_CHECK")[0].level, Level::lost);
  EXPECT_EQ(result.about("real_server").at(0).line, 16);
}

TEST(Pools, ProgramsOfOneServerAreLeftOut) {
  const auto server = [](const std::string& address) {
    return "real_server " + address + " 80 {\nMISC_CHECK {\nmisc_path \"/bin/check " + address +
           "\"\n}\n}\n";
  };
  const auto result = importOf("virtual_server 198.51.100.1 80 {\nlvs_sched mh\n" +
                               server("192.0.2.1") + server("192.0.2.2") + "}\n");
  EXPECT_THAT(result.site.checks, IsEmpty());
  const auto lines = result.about("MISC_CHECK");
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const auto& line) { return line.level == Level::lost; }),
            2);
}

TEST(Pools, OtherPortsOfServers) {
  const auto nat = importOf(
      "virtual_server 198.51.100.1 80 {\nlvs_sched mh\nlvs_method NAT\n"
      "real_server 192.0.2.1 8080 {\nTCP_CHECK {\n}\n}\n}\n");
  EXPECT_EQ(nat.site.pools.begin()->second.serverPort, 8080);
  EXPECT_EQ(nat.site.checks.at("tcp").port, std::nullopt);  // so it goes to the server's
  EXPECT_THAT(nat.about("real_server"), IsEmpty());
  const auto tunnel = importOf(
      "virtual_server 198.51.100.1 80 {\nlvs_sched mh\nlvs_method TUN\n"
      "real_server 192.0.2.1 8080 {\nTCP_CHECK {\n}\n}\n}\n");
  EXPECT_EQ(tunnel.site.pools.begin()->second.serverPort, 0);
  EXPECT_EQ(tunnel.site.checks.at("tcp-8080").port, 8080);
  EXPECT_EQ(tunnel.about("real_server").at(0).level, Level::note);
}

TEST(Pools, NatToPortsThatDiffer) {
  const auto server = [](const std::string& address, const std::string& inner) {
    return "real_server 192.0.2." + address + " {\n" + inner + "}\n";
  };
  const auto result =
      importOf("virtual_server 198.51.100.1 80 {\nlvs_sched mh\nlvs_method NAT\n" +
               server("1 8080", "TCP_CHECK {\nconnect_port 80\n}\n") +
               server("2 8080", "TCP_CHECK {\nconnect_port 80\n}\n") + server("3 81", "") + "}\n");
  EXPECT_EQ(result.site.pools.begin()->second.serverPort, 8080);
  EXPECT_EQ(result.site.checks.at("tcp-80").port, 80);
  const auto lines = result.about("real_server");
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines[0].level, Level::lost);
  EXPECT_EQ(lines[0].line, 14);
}

TEST(Pools, FamiliesCrossInTunnelsOnly) {
  const auto text = [](const std::string& method) {
    return "virtual_server 2001:db8::1 80 {\nlvs_sched mh\nlvs_method " + method +
           "\nreal_server 192.0.2.1 80 {\n}\nreal_server 2001:db8::65 80 {\n}\n}\n";
  };
  EXPECT_THAT(importOf(text("TUN")).site.pools.begin()->second.servers, SizeIs(2));
  const auto direct = importOf(text("DR"));
  EXPECT_THAT(direct.site.pools.begin()->second.servers, SizeIs(1));
  EXPECT_EQ(direct.about("real_server").at(0).level, Level::lost);
}

TEST(Pools, ServersOfWeightZeroAndTwice) {
  const auto result = importOf(
      "virtual_server 198.51.100.1 80 {\nlvs_sched mh\n"
      "real_server 192.0.2.1 80 {\nweight 0\n}\n"
      "real_server 192.0.2.2 80 {\n}\nreal_server 192.0.2.2 81 {\n}\n}\n");
  EXPECT_THAT(result.site.pools.begin()->second.servers, SizeIs(1));
  EXPECT_EQ(result.about("weight").at(0).level, Level::changed);
  EXPECT_EQ(result.about("real_server").at(0).level, Level::lost);
}

TEST(Report, NamesWhatNobodyKnows) {
  const auto result = importOf(
      "virtual_server 198.51.100.1 80 {\nlvs_sched mh\nquorun 3\n"
      "real_server 192.0.2.1 80 {\nTCP_CHECK {\nfoo bar\n}\n}\n}\n"
      "something { else }\n");
  for (const auto* keyword : {"quorun", "foo", "something"}) {
    ASSERT_THAT(result.about(keyword), SizeIs(1)) << keyword;
    EXPECT_EQ(result.about(keyword)[0].level, Level::lost);
  }
  EXPECT_THAT(result.about("quorun")[0].why, HasSubstr("'quorum'"));
  EXPECT_EQ(result.about("foo")[0].line, 6);
}

TEST(Report, NamesTheFileOfAnIncludedLine) {
  const auto result = importOf("include a.conf\n", {{"a.conf", "\n\nvrrp_instance A {\nx\n}\n"}});
  const auto lines = result.about("vrrp_instance");
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0].str().substr(0, 32), "a.conf:3: lost: vrrp_instance A:");
}

TEST(Report, KeepsPasswordsToItself) {
  const auto result = importOf(
      "SSL {\npassword geheim\npassword geheim2\n}\n"
      "vrrp_instance A {\nauthentication {\nauth_pass geheim\n}\n}\n");
  for (const auto& line : result.import.report) {
    EXPECT_EQ(line.str().find("geheim"), std::string::npos) << line.str();
  }
  EXPECT_EQ(result.import.siteYaml.find("geheim"), std::string::npos);
}

TEST(Report, ForPeoplePutsEqualRemarksTogether) {
  const auto text = importText(
      importOf(virtualServer("198.51.100.1 80", "80", "", "notify_up /bin/true")).import);
  const auto remark = text.find("starts no programs");
  ASSERT_NE(remark, std::string::npos) << text;
  EXPECT_EQ(text.find("starts no programs", remark + 1), std::string::npos) << text;
  EXPECT_THAT(text, HasSubstr("line 6: notify_up"));
  EXPECT_THAT(text, HasSubstr("line 9: notify_up"));
}

TEST(GlobalDefs, TimeoutsAndScriptUser) {
  const auto result = importOf(
      "global_defs {\nlvs_timeouts tcp 600 tcpfin 30 udp 60\nscript_user checker\nrouter_id "
      "x\n}\n" +
      virtualServer("198.51.100.1 80", "80", "", "MISC_CHECK {\nmisc_path /bin/true\n}"));
  EXPECT_EQ(result.site.ipvs.timeouts.tcp, 10min);
  EXPECT_EQ(result.site.ipvs.timeouts.tcpFin, 30s);
  EXPECT_EQ(result.site.ipvs.timeouts.udp, 1min);
  EXPECT_EQ(std::get<healthcheck::ExecProbe>(result.site.checks.at("true").how).user, "checker");
  EXPECT_EQ(result.about("router_id").at(0).level, Level::note);
}

TEST(Import, OfNothingIsAnEmptySite) {
  const auto result = importOf("");
  EXPECT_THAT(result.site.services, IsEmpty());
  EXPECT_THAT(result.import.report, IsEmpty());
}

}  // namespace
}  // namespace l4ward::keepalived
