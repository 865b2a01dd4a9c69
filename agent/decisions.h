// What health makes of each service, and so of each virtual IP: quorum with its hysteresis, the
// backup pool's turn, panic. Judged anew only where something is new, since there may be thousands.
// Changes are logged. No I/O: time is an argument.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/availability.h"
#include "agent/health.h"
#include "agent/model.h"
#include "agent/programmer.h"
#include "agent/vips.h"

namespace l4ward::agent {

class Decisions {
 public:
  // `model` stays as it is until the next setModel(). Services that were there before go on from
  // where they are. A new one holds its quorum, unless `actual` has its backup servers in use.
  void setModel(const Model& model, const ipvs::ActualTable& actual);

  // A check said something new.
  void touch(CheckId check);
  void touchAll() { allTouched_ = true; }

  // Judges the services that were touched, and those whose time has come. `believe`: else checks
  // are not believed to fail (see Controller::judgeNode()), and neither backups nor panic follow.
  void judge(const HealthTable& health, bool believe, TimePoint now, Millis deadline);
  // When judge() finds something new without a touch.
  TimePoint nextDue() const { return due_; }

  // The services whose servers are to be looked at since the last call, and what is to become of
  // them as far as it can be had in one step from what the kernel holds: the pool's own servers
  // stay in until one of the backup pool is, since a plan puts servers out before it adds others.
  // `isDone` tells whether that is all.
  struct Uses {
    std::map<ipvs::ServiceKey, ServerUse> services;
    bool isDone = true;
  };
  Uses takeUses(const ipvs::ActualTable& actual);
  // Each service's servers have their verdicts.
  bool isComplete() const;

  // As of the last judge().
  std::map<Prefix, Decision> decide(const Programmer& programmer, const Vips& vips,
                                    const std::map<Prefix, config::AnnounceWhen>& when) const;
  // The state of a virtual IP's services, for the log.
  std::string explain(const Prefix& vip, const HealthTable& health,
                      const Programmer& programmer) const;

 private:
  struct Entry {
    const VirtualService* service = nullptr;
    ServiceView view;  // without what the programmer knows
    bool held = true;  // the quorum, by the service's own servers
    ServerUse use;
    TimePoint changesAt{};
  };
  using Item = std::pair<const ipvs::ServiceKey, Entry>;

  static void judge(Entry& entry, const HealthTable& health, bool believe, TimePoint now,
                    Millis deadline);
  static std::string describe(const Item& item, const HealthTable& health);

  std::map<ipvs::ServiceKey, Entry> entries_;
  std::map<Prefix, std::vector<const Item*>> byVip_;
  std::unordered_map<CheckId, std::vector<Item*>> users_;
  std::set<Item*> touched_;
  std::set<ipvs::ServiceKey> fresh_;  // judged, and not taken by takeUses() as they stay
  bool allTouched_ = true;
  TimePoint due_ = TimePoint::max();
};

}  // namespace l4ward::agent
