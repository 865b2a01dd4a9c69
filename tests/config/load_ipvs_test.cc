// The section `ipvs`: what it says and one mistake each.
#include "site_text.h"

namespace l4ward::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

Ipvs ipvsOf(const std::string& ipvs) {
  const auto text = "services: {}\nipvs: " + ipvs + "\n";
  EXPECT_THAT(errorsOf(text), IsEmpty());
  return loadSite(text, "f", "host").value_or(Site()).ipvs;
}

TEST(LoadIpvs, FillsInEveryDefault) {
  const auto site = loadSite("services: {}\n", "f", "host").value();
  EXPECT_EQ(site.ipvs, Ipvs());
  EXPECT_EQ(site.ipvs.driftPeriod, 30s);
  EXPECT_EQ(site.ipvs.timeouts, Timeouts());
  EXPECT_EQ(ipvsOf("{}"), Ipvs());
  EXPECT_EQ(ipvsOf("{sync: {}, timeouts: {}}"), Ipvs());
  const auto daemon = ipvsOf("{sync: {backup: {interface: eth1, id: 255}}}").syncBackup.value();
  EXPECT_EQ(daemon, (SyncDaemon{"eth1", 255, std::nullopt, 8848, 1, 0}));
}

TEST(LoadIpvs, EveryKey) {
  const auto ipvs = loadSite(kIpvsText, "f", "host").value().ipvs;
  EXPECT_EQ(ipvs.timeouts, (Timeouts{15min, 2min, 5min}));
  EXPECT_EQ(ipvs.syncMaster, (SyncDaemon{"eth1", 1, ip("224.0.0.82"), 8849, 2, 1400}));
  EXPECT_EQ(ipvs.syncBackup, (SyncDaemon{"eth2", 0, ip("ff02::81"), 8848, 1, 0}));
  EXPECT_EQ(ipvs.driftPeriod, 10s);
}

TEST(LoadIpvs, OneTimeoutLeavesTheOthersToTheKernel) {
  const auto timeouts = ipvsOf("{timeouts: {udp: 596h}}").timeouts;
  EXPECT_EQ(timeouts, (Timeouts{std::nullopt, std::nullopt, 596h}));
}

TEST(LoadIpvs, TheLongestMessages) {
  EXPECT_EQ(ipvsOf("{sync: {master: {interface: a, id: 0, max_length: 1}}}").syncMaster->maxLength,
            1U);
  EXPECT_EQ(
      ipvsOf("{sync: {backup: {interface: a, id: 0, max_length: 65507}}}").syncBackup->maxLength,
      65507U);
}

class Section : public testing::TestWithParam<Mistake> {};

TEST_P(Section, IsOneError) {
  const auto text = edited(GetParam().from, GetParam().to, std::string(kIpvsText));
  EXPECT_THAT(errorsOf(text), ElementsAre("f:" + GetParam().error));
}

const std::string kTimeout = "expected a duration such as 500ms, 2s or 5m, from 1s to 596h";

INSTANTIATE_TEST_SUITE_P(
    LoadIpvs, Section,
    testing::Values(
        Mistake{"drift_period: 10s", "period: 10s",
                "6:3: ipvs.period: found the key 'period', expected a key that is known here: "
                "timeouts sync drift_period"},
        Mistake{"drift_period: 10s", "drift_period: 999ms",
                "6:17: ipvs.drift_period: found '999ms', expected a duration such as 500ms, 2s or "
                "5m, from 1s to 1h"},
        Mistake{"drift_period: 10s", "drift_period: 61m",
                "6:17: ipvs.drift_period: found '61m', expected a duration such as 500ms, 2s or "
                "5m, from 1s to 1h"},
        Mistake{"tcp: 15m", "tcp: 0s", "2:20: ipvs.timeouts.tcp: found '0s', " + kTimeout},
        Mistake{"tcp_fin: 2m", "tcp_fin: 745h",
                "2:34: ipvs.timeouts.tcp_fin: found '745h', " + kTimeout},
        Mistake{"udp: 300s", "udp: 1500ms",
                "2:43: ipvs.timeouts.udp: found '1500ms', expected whole seconds"},
        Mistake{"udp: 300s", "sctp: 300s",
                "2:38: ipvs.timeouts.sctp: found the key 'sctp', expected a key that is known "
                "here: tcp tcp_fin udp"},
        Mistake{"interface: eth1, ", "",
                "4:13: ipvs.sync.master.interface: found no such key, expected the interface to "
                "the other nodes"},
        Mistake{"interface: eth1", "interface: an-interface-name",
                "4:26: ipvs.sync.master.interface: found 'an-interface-name', expected the name "
                "of an interface, 1 to 15 characters"},
        Mistake{"id: 0, ", "",
                "5:13: ipvs.sync.backup.id: found no such key, expected a number from 0 to 255 "
                "that the nodes share"},
        Mistake{"id: 0", "id: 256",
                "5:36: ipvs.sync.backup.id: found '256', expected a whole number from 0 to 255"},
        Mistake{"224.0.0.82", "192.0.2.82",
                "4:46: ipvs.sync.master.group: found '192.0.2.82', expected a multicast address"},
        Mistake{"ff02::81", "fe80::81",
                "5:46: ipvs.sync.backup.group: found 'fe80::81', expected a multicast address"},
        Mistake{"port: 8849", "port: 0",
                "4:64: ipvs.sync.master.port: found '0', expected a whole number from 1 to 65535"},
        Mistake{"ttl: 2", "ttl: 0",
                "4:75: ipvs.sync.master.ttl: found '0', expected a whole number from 1 to 255"},
        Mistake{"ttl: 2", "ttl: 256",
                "4:75: ipvs.sync.master.ttl: found '256', expected a whole number from 1 to 255"},
        Mistake{"max_length: 1400", "max_length: 65508",
                "4:90: ipvs.sync.master.max_length: found '65508', expected a whole number from 1 "
                "to 65507"},
        Mistake{"\"ff02::81\"", "'ff02::81', max_length: 1023",
                "5:70: ipvs.sync.backup.max_length: found '1023', expected a whole number from "
                "1024 to 65487"},
        Mistake{"    backup: {", "    slave: {",
                "5:5: ipvs.sync.slave: found the key 'slave', expected a key that is known here: "
                "master backup"}));

}  // namespace
}  // namespace l4ward::config
