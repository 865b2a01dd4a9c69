// A controller on a fake kernel, fake interface and fake relay, driven by hand with a fake clock.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/controller.h"
#include "config/load.h"
#include "tests/ipvs/fake_globals.h"
#include "tests/ipvs/fake_kernel.h"

namespace l4ward::agent {

inline IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}
// One address as a VIP.
inline Prefix host(std::string_view text) {
  return Prefix::host(ip(text));
}
inline Endpoint endpoint(std::string_view text) {
  return Endpoint::parse(text).value();
}
inline ipvs::ServiceKey tcp(std::string_view text) {
  return {ipvs::Protocol::tcp, endpoint(text)};
}

inline config::Site siteOf(const std::string& yaml) {
  auto site = config::loadSite(yaml, "site.yaml", "node-1");
  if (!site) {
    ADD_FAILURE() << site.error().front().str();
    return {};
  }
  return *site;
}

class FakeInterfaces : public Interfaces {
 public:
  Status ensureInterface(const std::string& name) override {
    missing.erase(name);
    return {};
  }
  Result<std::set<Prefix>> list(const std::string& name) override {
    if (missing.contains(name)) return fail("no such interface", ENODEV);
    return held[name];
  }
  Status add(const std::string& name, const Prefix& vip) override {
    if (refuse) return fail("refused");
    ++writes;
    held[name].insert(vip);
    return {};
  }
  Status remove(const std::string& name, const Prefix& vip) override {
    ++writes;
    held[name].erase(vip);
    return {};
  }

  std::map<std::string, std::set<Prefix>> held;
  std::set<std::string> missing;
  int writes = 0;
  bool refuse = false;
};

// One agent's life. Several may follow one another on the same kernel, as after kill -9.
struct Life {
  Life(ipvs::Kernel& kernel, FakeInterfaces& interfaces, MemoryFile& memory, double jitter = 0,
       bool observe = false)
      : controller({kernel, globals, interfaces, memory,
                    [this](const bgp::RouteSet& routes) {
                      if (routes != published || generation == 0) ++generation;
                      published = routes;
                      return generation;
                    },
                    [this](std::vector<healthcheck::Job> given) {
                      jobs = std::move(given);
                      ++jobsGiven;
                    },
                    [this](CheckId id, healthcheck::Pace given) { pace[id] = given; }, jitter,
                    observe, [this](const config::Site&) { return sysctls; }}) {}

  void answer(const healthcheck::Job& job, healthcheck::Answer what,
              std::optional<unsigned> weight = {}) {
    controller.onOutcome({.target = job.id, .answer = what, .weight = weight, .at = now});
  }
  // The probe of every job whose target is `target` answers.
  void answer(std::string_view target, healthcheck::Answer what) {
    for (const auto& job : jobs) {
      if (job.probe.target == endpoint(target)) answer(job, what);
    }
  }
  void answerAll(healthcheck::Answer what) {
    for (const auto& job : jobs) answer(job, what);
  }
  void turn() { due = controller.turn(now); }
  // As the loop does it: when time is due.
  void turnWhenDue() {
    now = due;
    turn();
  }
  // ExaBGP acknowledges all that was published.
  void sync() { controller.onSynced(generation); }
  std::set<std::string> announced() const {
    std::set<std::string> out;
    for (const auto& [key, attributes] : published) out.insert(key.prefix.str());
    return out;
  }

  ipvs::FakeGlobals globals;
  TimePoint now{std::chrono::hours(1)};
  TimePoint due{};
  std::vector<SysctlChange> sysctls;  // for one that observes
  std::uint64_t generation = 0;
  bgp::RouteSet published;
  std::vector<healthcheck::Job> jobs;
  int jobsGiven = 0;  // how often
  std::map<CheckId, healthcheck::Pace> pace;
  Controller controller;
};

}  // namespace l4ward::agent
