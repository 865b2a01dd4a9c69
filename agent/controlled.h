// The agent as the control server's questions need it: the daemon in the product, a fake in tests.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/process_state.h"
#include "agent/snapshot.h"
#include "base/result.h"
#include "config/site.h"
#include "control/backend.h"
#include "control/request.h"
#include "healthcheck/tally.h"
#include "ipvs/connections.h"
#include "ipvs/statistics.h"

namespace l4ward::agent {

class Controlled {
 public:
  virtual ~Controlled() = default;

  // From any thread: does `work` on the agent's loop.
  virtual void post(std::function<void()> work) = 0;

  // On the loop.
  virtual Snapshot snapshot() = 0;
  virtual ProcessState process() = 0;
  virtual control::Reply reload() = 0;
  virtual control::Reply resync() = 0;
  virtual control::Reply set(const control::SetRequest& request, const control::Peer& peer) = 0;
  virtual control::Reply clear(const control::ClearRequest& request) = 0;
  // The site in force, and its file's text as it was loaded.
  virtual std::shared_ptr<const config::Site> site() = 0;
  virtual std::string siteText() = 0;

  // On one thread beside the loop. Each may take a while, which is bounded; what cannot be had is
  // an error or nothing.
  virtual std::optional<healthcheck::Tallies> tallies() = 0;
  virtual Result<ipvs::Statistics> statistics() = 0;
  // Of this kernel's Maglev tables; 0: not known.
  virtual std::size_t slots() = 0;
  virtual Result<std::optional<ipvs::Connection>> connection(const ipvs::Flow& flow) = 0;
};

}  // namespace l4ward::agent
