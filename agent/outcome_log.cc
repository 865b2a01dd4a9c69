#include "agent/outcome_log.h"

#include <string>
#include <variant>

#include "base/log.h"

namespace l4ward::agent {
namespace {

using healthcheck::Health;

std::string whereOf(const healthcheck::Probe& probe) {
  if (const auto* file = std::get_if<healthcheck::FileProbe>(&probe.how)) return file->path;
  if (probe.target.port == 0) return probe.target.address.str();
  return probe.target.str();
}

}  // namespace

void logOutcome(const Check& check, const healthcheck::Outcome& outcome,
                const HealthTable::Update& update) {
  const log::Fields subject{{"server", check.server},
                            {"address", whereOf(check.job.probe)},
                            {"check", check.name},
                            {"kind", healthcheck::toString(outcome.kind)},
                            {"reason", outcome.reason}};
  if (update.warns) {
    log::warning("check.warning", {{"server", check.server},
                                   {"address", whereOf(check.job.probe)},
                                   {"check", check.name},
                                   {"reason", outcome.warning}});
  }
  if (update.localErrorChanged) {
    if (update.after.localError) {
      log::error("check.broken", subject);
    } else {
      log::info("check.works", subject);
    }
  }
  if (!update.changed && !update.verdict) return;
  switch (update.after.health) {
    case Health::up:
      return log::info("server.up", subject);
    case Health::drain:
      return log::warning("server.drain", subject);
    case Health::down:
      return log::warning("server.down", subject);
    case Health::unknown:
      return;
  }
}

}  // namespace l4ward::agent
