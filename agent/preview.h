// What a site file would change on this node: operations, flows that move, tables. Pure; nothing is
// touched.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/model.h"
#include "config/site.h"
#include "ipvs/memory.h"
#include "ipvs/plan.h"
#include "ipvs/shift.h"
#include "ipvs/types.h"

namespace l4ward::agent {

struct ServicePreview {
  ipvs::ServiceKey key;
  std::string name;  // in the site file; empty: the file drops it
  bool isNew = false;
  std::vector<ipvs::Operation> operations;
  // Of new flows; nothing where there is no Maglev table before or after.
  std::optional<ipvs::FlowShift> shift;
  // Nothing: not under mh, or a last weight is not known.
  std::optional<std::string> digestBefore;
  std::optional<std::string> digestAfter;
  // Servers and their number that get new flows at the end.
  std::size_t up = 0;
  std::size_t servers = 0;
};

struct Preview {
  std::vector<ServicePreview> services;
  std::set<Prefix> newVips;
  std::set<Prefix> droppedVips;
};

// From what the kernel holds to `site` when all is done and drained. Servers at weight 0 stay out;
// new ones are taken as up. `memory`: what the agent on this node has on record. `slots`: of this
// kernel's Maglev tables.
Preview preview(const config::Site& site, const ipvs::ActualTable& actual,
                const ipvs::Memory& memory, std::size_t slots);

// The same of the services that `operations` change, as the model of the site file names them.
std::vector<ServicePreview> previewOf(const std::vector<ipvs::Operation>& operations,
                                      const Model& model, const ipvs::ActualTable& actual,
                                      const ipvs::LastWeights& lastWeights, std::size_t slots);
// "new, 3 servers", "2 operations, moves 5.13 % of new flows, 0.00 % needlessly"
std::string summaryOf(const ServicePreview& service);

// For people; ends with a line break.
std::string previewText(const Preview& preview);

}  // namespace l4ward::agent
