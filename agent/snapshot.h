// All that the agent decides by, at one moment: made on the loop by plain copying, looked at on
// other threads. For people to see; nothing is decided by it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "agent/announcer.h"
#include "agent/decisions.h"
#include "agent/gate.h"
#include "agent/health.h"
#include "agent/model.h"
#include "agent/observer.h"
#include "agent/sessions.h"
#include "config/site.h"
#include "ipvs/memory.h"
#include "ipvs/types.h"

namespace l4ward::agent {

struct Snapshot {
  TimePoint at{};
  std::shared_ptr<const config::Site> site;
  std::shared_ptr<const Model> model;
  HealthTable health;
  ipvs::ActualTable actual;
  ipvs::Memory memory;
  std::set<ipvs::ServiceKey> programmed;
  std::shared_ptr<const control::Overrides> overrides;
  // Of the model; they point into it and into the overrides.
  std::map<ipvs::ServiceKey, Decisions::Entry> services;
  std::map<Prefix, Decision> decisions;       // of the last turn, behind the gate
  std::map<Prefix, Announcer::Vip> standing;  // the routes
  std::map<Prefix, TimePoint> changedAt;      // of virtual IPs' routes
  std::vector<Gate::Held> held;
  std::set<Prefix> onInterface;
  std::map<IpAddress, Sessions::Session> sessions;
  bool ready = false;
  bool observing = false;                // nothing but compares; then
  std::vector<ipvs::Operation> pending;  // what it would do,
  Differences differences;               // and all that differs
  bool suspect = false;
  bool unheard = false;
  bool synced = false;
  std::uint64_t updates = 0;  // route sets published
  std::uint64_t drift = 0;    // differences found since the start
  std::optional<TimePoint> driftAt;
};

}  // namespace l4ward::agent
