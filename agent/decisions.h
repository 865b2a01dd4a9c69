// What health makes of each service, and so of each virtual IP: quorum with its hysteresis, the
// backup pool's turn, panic. Judged anew only where something is new, since there may be thousands.
// Changes are logged. No I/O: time is an argument.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/availability.h"
#include "agent/health.h"
#include "agent/model.h"
#include "agent/programmer.h"
#include "agent/vips.h"
#include "control/override.h"

namespace l4ward::agent {

class Decisions {
 public:
  // `model` stays as it is until the next setModel(). Services that were there before go on from
  // where they are. A new one holds its quorum, unless `actual` has its backup servers in use.
  void setModel(const Model& model, const ipvs::ActualTable& actual);

  // What people say of services, virtual IPs and the node, from now on. What they say of servers is
  // in the model (agent/override_policy.h); this makes all services be judged anew.
  void setOverrides(std::shared_ptr<const control::Overrides> overrides);

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
  struct Verdict {
    std::map<Prefix, Decision> vips;
    std::set<Prefix> drained;  // what there is to be announced of these is to say so
  };
  Verdict decide(const Programmer& programmer, const Vips& vips,
                 const std::map<Prefix, config::AnnounceWhen>& when) const;
  // The state of a virtual IP's services, for the log.
  std::string explain(const Prefix& vip, const HealthTable& health,
                      const Programmer& programmer) const;

  struct Entry {
    const VirtualService* service = nullptr;
    ServiceView view;  // without what the programmer knows
    bool held = true;  // the quorum, by the service's own servers
    ServerUse use;
    TimePoint changesAt{};
    const control::Override* override = nullptr;  // of the service; in overrides_
  };
  using Item = std::pair<const ipvs::ServiceKey, Entry>;
  struct VipUse {
    std::vector<const Item*> items;
    const control::Override* override = nullptr;  // of the virtual IP or the node; in overrides_
  };
  // For people to see; what it points to lives as long as model and overrides.
  const std::map<ipvs::ServiceKey, Entry>& all() const { return entries_; }
  // As explain() of the virtual IP that is used so. `exists`: the kernel has the service.
  using Exists = std::function<bool(const ipvs::ServiceKey&)>;
  static std::string explain(const VipUse& use, const HealthTable& health, const Exists& exists);
  // The stronger of what is said of it and of the whole node.
  static const control::Override* ofVip(const control::Overrides& overrides, const Prefix& vip);

 private:
  static void judge(Entry& entry, const HealthTable& health, bool believe, TimePoint now,
                    Millis deadline);
  static std::string describe(const Item& item, const HealthTable& health);
  const control::Override* ofService(const std::string& service) const;

  std::shared_ptr<const control::Overrides> overrides_ =
      std::make_shared<const control::Overrides>();
  std::map<ipvs::ServiceKey, Entry> entries_;
  std::map<Prefix, VipUse> byVip_;
  std::unordered_map<CheckId, std::vector<Item*>> users_;
  std::set<Item*> touched_;
  std::set<ipvs::ServiceKey> fresh_;  // judged, and not taken by takeUses() as they stay
  bool allTouched_ = true;
  TimePoint due_ = TimePoint::max();
};

}  // namespace l4ward::agent
