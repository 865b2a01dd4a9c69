// Keepalived's checkers (keepalived.conf(5), "healthcheckers") as l4ward's checks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "config/site.h"
#include "import/section.h"

namespace l4ward::keepalived {

// What virtual servers, real servers and checkers may say alike; the inner one's word goes first.
struct Timing {
  std::optional<Given<Micros>> delayLoop;
  std::optional<Given<Micros>> connectTimeout;
  std::optional<Given<Micros>> delayBeforeRetry;
  std::optional<Given<std::uint32_t>> retry;

  Timing within(const Timing& outer) const;
};

// `minRetry` is 1 outside of checkers, where Keepalived does not take 0.
Timing readTiming(const Section& section, std::uint32_t minRetry);

// The values that `timing` has and no check was made with.
void sayUseless(const Timing& timing, Report& report);

// What is the same for all checks of a real server.
struct CheckedServer {
  IpAddress address;
  std::uint16_t port = 0;  // 0: none is given
  Timing timing;
  std::optional<Given<std::string>> virtualHost;
  healthcheck::Tls tls;    // what the block SSL says
  std::string scriptUser;  // of global_defs
};

struct CheckDraft {
  config::Check check;  // without a name; port: that of the probe, if one is given
  Node* node = nullptr;
};

// The checks of a real server's block, as far as l4ward has their like. All checkers in it are
// seen.
std::vector<CheckDraft> readChecks(const Section& realServer, const CheckedServer& server);

// What Keepalived assumes if neither the checker nor the servers around it say something.
struct TimingDefaults {
  unsigned retry = 1;
  Micros delayBeforeRetry = std::chrono::seconds(1);
};

// Sets interval, fastInterval, downInterval, timeout, rise and fall. `timeout`: in place of
// connect_timeout.
void setTiming(const Timing& timing, const TimingDefaults& defaults,
               const std::optional<Given<Micros>>& timeout, Report& report, config::Check& check);

// Of one checker, each in the file that has its name.
void readHttpCheck(const Section& checker, const CheckedServer& server, bool tls,
                   const config::Check& common, std::vector<CheckDraft>& checks);
std::optional<healthcheck::How> readUdpHow(const Section& checker);
std::optional<healthcheck::How> readMiscHow(const Section& checker, const CheckedServer& server);

}  // namespace l4ward::keepalived
