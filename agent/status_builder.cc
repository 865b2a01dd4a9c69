#include "agent/status_builder.h"

#include <unistd.h>

#include <chrono>

#include "agent/site_hash.h"
#include "agent/status_parts.h"
#include "base/hash.h"
#include "base/version.h"

namespace l4ward::agent {

double WallClock::of(TimePoint time) const {
  if (time == TimePoint{}) return 0;
  return wall_ - std::chrono::duration<double>(at_ - time).count();
}

std::string checkId(CheckId id) {
  return hashText(id);
}

control::NodeStatus statusOf(const Snapshot& snapshot, const ProcessState& process) {
  const WallClock clock(snapshot.at, process.at);
  const auto& site = *snapshot.site;
  control::NodeStatus status;
  status.at = process.at;
  auto& node = status.node;
  node.name = site.node;
  node.pid = ::getpid();
  node.version = kVersion;
  node.startedAt = process.startedAt;
  node.phase = process.phase;
  node.ready = snapshot.ready;
  node.suspect = snapshot.suspect;
  node.siteFile = process.siteFile;
  node.siteHash = siteHash(site);
  node.interface = site.interface;
  node.reloads = process.reloads;
  node.staleServers = process.staleServers;
  node.work = process.work;
  node.work.drift = snapshot.drift;
  // To one that observes BGP is nothing.
  status.relay = {site.bgp && !snapshot.observing, process.relayConnected,
                  process.relayConnected && snapshot.synced, snapshot.unheard, snapshot.updates};
  status.overrides = snapshot.overrides->all();
  status.neighbors = neighborsOf(snapshot, clock);
  status.vips = vipsOf(snapshot, clock);
  status.services = servicesOf(snapshot);
  status.servers = serversOf(snapshot, clock);
  status.checks = checksOf(snapshot, clock);
  return status;
}

}  // namespace l4ward::agent
