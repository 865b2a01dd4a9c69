// What people's word does to the model, and whether it may be given. Pure.
#pragma once

#include <optional>
#include <string>

#include "agent/health.h"
#include "agent/model.h"
#include "config/site.h"
#include "control/override.h"

namespace l4ward::agent {

// Marks the servers that are taken out, and no others.
void markServers(Model& model, const control::Overrides& overrides);

// An error if the site has no such thing, with the name that may have been meant.
Status checkSubject(const config::Site& site, const control::Subject& subject);

// The pool, if there is one, whose last healthy server would be taken out with `subject`: one that
// has a healthy server now and would have none. `model` as markServers() left it.
std::optional<std::string> poolLeftWithout(const Model& model, const HealthTable& health,
                                           const control::Subject& subject);

}  // namespace l4ward::agent
