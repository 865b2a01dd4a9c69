#include "control/metrics.h"

#include <gmock/gmock.h>

#include <set>
#include <sstream>

#include "tests/control/sample_status.h"

namespace l4ward::control {
namespace {

using testing::HasSubstr;
using testing::Not;

bool hasLine(const std::string& text, const std::string& line) {
  return text.starts_with(line + "\n") || text.find("\n" + line + "\n") != std::string::npos;
}

// How many series, and that none is there twice: Prometheus refuses the whole answer then.
std::size_t seriesIn(const std::string& text) {
  std::istringstream lines(text);
  std::set<std::string> series;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    EXPECT_TRUE(series.insert(line.substr(0, line.rfind(' '))).second) << line;
  }
  return series.size();
}

TEST(MetricsTest, TellTheNode) {
  auto status = sampleStatus();
  status.node.reloads.lastSucceeded = false;
  const auto text = metricsText(status);
  for (const auto* line : {
           "l4ward_build_info{version=\"0.1.0\"} 1",
           "l4ward_node_info{node=\"lb4-1\",site_hash=\"5f0c2a9be1d47703\"} 1",
           "l4ward_ready 1",
           "l4ward_suspect 0",
           "l4ward_phase{state=\"running\"} 1",
           "l4ward_phase{state=\"stopping\"} 0",
           "l4ward_reloads_total{result=\"failure\"} 1",
           "l4ward_last_reload_successful 0",
           "l4ward_ipvs_drift_total 3",
           "l4ward_alarms{severity=\"critical\"} 1",
           "l4ward_alarms{severity=\"warning\"} 2",
           "l4ward_loop_lag_seconds_count 1893",
           "l4ward_probe_lateness_seconds_bucket{le=\"0.01\"} 6012",
           "l4ward_overrides 2",
       }) {
    EXPECT_TRUE(hasLine(text, line)) << line;
  }
  EXPECT_GT(seriesIn(text), 150U);
}

TEST(MetricsTest, TellTheChainFromNeighborsToServers) {
  const auto text = metricsText(sampleStatus());
  for (const auto* line : {
           "l4ward_bgp_session_up{neighbor=\"2001:db8::1\",peer_as=\"65000\"} 0",
           "l4ward_vip_state{vip=\"198.51.100.53/32\",state=\"withdrawn\"} 1",
           "l4ward_vip_state{vip=\"198.51.100.53/32\",state=\"announced\"} 0",
           "l4ward_service_quorum{service=\"udp 198.51.100.53:53\",name=\"dns\"} 0",
           "l4ward_service_uses{service=\"tcp 198.51.100.1:80\",name=\"web\",state=\"checked\"} 1",
           "l4ward_pool_servers{pool=\"edge\",state=\"up\"} 2",
           "l4ward_pool_servers{pool=\"edge\",state=\"warming\"} 0",
           "l4ward_server_state{pool=\"edge\",server=\"lb7-2\",state=\"down\"} 1",
           "l4ward_destination_weight{service=\"tcp 198.51.100.1:80\",address=\"192.0.2.101:80\","
           "pool=\"edge\",server=\"lb7-1\"} 1",
       }) {
    EXPECT_TRUE(hasLine(text, line)) << line;
  }
}

// 58 on lb7-3, which anna drains, and 17 in both services on lb7-0, which is no longer configured;
// those of lb7-2, which is down, nobody waits for.
TEST(MetricsTest, CountTheConnectionsThatADrainWaitsFor) {
  EXPECT_TRUE(
      hasLine(metricsText(sampleStatus()), "l4ward_pool_draining_connections{pool=\"edge\"} 92"));
}

TEST(MetricsTest, SumProbesAndLatenciesOverServers) {
  NodeStatus status;
  status.checks.resize(2);
  for (auto& check : status.checks) {
    check.name = "healthz";
    check.made = {{"pass", 10}};
    check.seconds = {{0.1, 1}, {4, 9, 10}, 3.5};
  }
  status.checks[0].id = "a";
  status.checks[1].id = "b";
  status.checks[1].made["timeout"] = 5;
  const auto text = metricsText(status);
  for (const auto* line : {
           "l4ward_probes_total{check=\"healthz\",outcome=\"pass\"} 20",
           "l4ward_probes_total{check=\"healthz\",outcome=\"timeout\"} 5",
           "l4ward_probe_duration_seconds_bucket{check=\"healthz\",le=\"0.1\"} 8",
           "l4ward_probe_duration_seconds_bucket{check=\"healthz\",le=\"1\"} 18",
           "l4ward_probe_duration_seconds_bucket{check=\"healthz\",le=\"+Inf\"} 20",
           "l4ward_probe_duration_seconds_sum{check=\"healthz\"} 7",
           "l4ward_probe_duration_seconds_count{check=\"healthz\"} 20",
       }) {
    EXPECT_TRUE(hasLine(text, line)) << line;
  }
}

TEST(MetricsTest, EscapeWhatPeopleName) {
  NodeStatus status;
  status.servers.push_back({});
  status.servers[0].name = "a\"b\\c\nd";
  EXPECT_THAT(metricsText(status), HasSubstr("server=\"a\\\"b\\\\c\\nd\""));
}

// Counters that fall to 0 and come back would be taken for a restart of everything.
TEST(MetricsTest, CountersThatCouldNotBeReadAreAbsent) {
  auto status = sampleStatus();
  status.countersAt = 0;
  const auto text = metricsText(status);
  EXPECT_TRUE(hasLine(text, "l4ward_kernel_counters_timestamp_seconds 0"));
  for (const auto* name :
       {"l4ward_service_connections_total", "l4ward_destination_connections",
        "l4ward_destination_active_connections", "l4ward_pool_draining_connections"}) {
    EXPECT_THAT(text, Not(HasSubstr(name)));
  }
  EXPECT_THAT(text, HasSubstr("l4ward_destination_weight"));
}

TEST(MetricsTest, StayBoundedOnALargeSite) {
  const auto all = metricsText(largeStatus(200, 100));
  EXPECT_TRUE(hasLine(all, "l4ward_metrics_truncated 0"));
  EXPECT_THAT(all, HasSubstr("\nl4ward_destination_weight{"));
  const auto few = metricsText(largeStatus(201, 100));
  EXPECT_TRUE(hasLine(few, "l4ward_metrics_truncated 1"));
  EXPECT_LT(seriesIn(few), 201U * 25);
  EXPECT_THAT(few, HasSubstr("\nl4ward_service_connections_total{"));
  EXPECT_THAT(few, Not(HasSubstr("server-1-1")));
}

TEST(MetricsTest, WithoutBgpThereAreNoSessions) {
  NodeStatus status;
  const auto text = metricsText(status);
  EXPECT_TRUE(hasLine(text, "l4ward_bgp_configured 0"));
  EXPECT_THAT(text, Not(HasSubstr("l4ward_bgp_relay_connected")));
}

}  // namespace
}  // namespace l4ward::control
