// What an agent that observes finds: all that differs between the node and what this agent would
// make of it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/model.h"
#include "agent/sysctl.h"
#include "base/clock.h"
#include "ipvs/globals.h"
#include "ipvs/plan.h"
#include "ipvs/types.h"

namespace l4ward::agent {

struct Difference {
  enum class Kind {
    service,  // an IPVS service: operations that this agent would send
    server,   // its verdict on a server is not the one by which the kernel spreads new flows
    foreign,  // the kernel has a service that the site file has not; it would be left alone
    vip,      // a virtual IP that is not on the interface
    global,   // IPVS's timeouts and synchronisation daemons
    sysctl,
  };
  using Key = std::pair<Kind, std::string>;  // with the subject: "tcp 198.51.100.1:80"

  std::string text;  // "2 operations", "down by its checks, the kernel sends it new flows"
  // In their order, without the service; for kind service.
  std::vector<std::string> operations = {};
  TimePoint since = {};
};
using Differences = std::map<Difference::Key, Difference>;

const char* toString(Difference::Kind kind);

// What is compared.
struct Observed {
  const Model& model;
  const ipvs::WantedTable& wanted;
  const ipvs::ActualTable& actual;
  const std::vector<ipvs::Operation>& operations;  // from actual to wanted
  const std::vector<ipvs::GlobalsOperation>& globals;
  const std::string& interface;
  const std::set<Prefix>& onInterface;
  const std::vector<SysctlChange>& sysctls;
};

// Pure.
Differences differencesOf(const Observed& observed);

// Remembers since when things differ, and logs what begins or ends to differ.
class Observer {
 public:
  void note(Differences found, TimePoint now);
  const Differences& all() const { return all_; }

 private:
  Differences all_;
};

}  // namespace l4ward::agent
