// The site file compiled: which IPVS services there are, which servers stand behind each, and
// which checks decide about them. Pure. Nothing behind this step reads the site file's services
// and pools, so that a service may one day become something else than one IPVS service.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/site.h"
#include "control/override.h"
#include "healthcheck/job.h"
#include "healthcheck/state.h"
#include "ipvs/types.h"

namespace l4ward::agent {

using CheckId = std::uint64_t;

// A server as one service sees it.
struct Backend {
  std::string server;
  ipvs::Path path;
  ipvs::Thresholds thresholds;
  std::uint32_t weight = 1;
  std::vector<CheckId> checks = {};  // all must pass; empty: always taken as up
  Millis warmUp{0};                  // from coming back to the first new connection
  bool agentWeights = false;
  std::string pool = {};
  // What people say of it (agent/override_policy.h); compile() leaves it open.
  std::optional<control::Action> override = {};
};

struct VirtualService {
  std::string service;  // its name in the site file
  std::string pool;
  std::set<Prefix> vips;  // whose traffic it takes
  ipvs::ServiceConfig config;
  config::Quorum quorum;
  config::BelowQuorum belowQuorum = config::BelowQuorum::withdraw;
  unsigned panicThreshold = 0;           // per cent of the servers; 0: never
  std::map<Endpoint, Backend> backends;  // in canonical order
  std::map<Endpoint, Backend> backups;   // the backup pool's, those of `backends` left out

  // Of either pool; nullptr if there is no such server.
  const Backend* find(const Endpoint& server) const;
};

// One probe that is made, for however many services.
struct Check {
  std::string name;    // in the site file
  std::string server;  // the first pool's name for it
  std::vector<std::string> pools;
  healthcheck::Job job;
  healthcheck::Policy policy;
  bool signOfLife = true;  // not what somebody says about the server
};

ipvs::Protocol toIpvs(config::Protocol protocol);

struct Model {
  std::map<ipvs::ServiceKey, VirtualService> services;
  std::map<CheckId, Check> checks;
  std::set<Prefix> vips;
  // One for each server that is probed through its tunnel, by marks of config::DataPath.
  ipvs::WantedTable probeServices;
};

// `site` must be valid (config::loadSite). Equal checks of equal targets get one id, which is the
// same in every run and after every reload.
Model compile(const config::Site& site);

}  // namespace l4ward::agent
