// What the commands show of a node. Pure: values in, text out; every line ends with a line break.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "control/ctl/text.h"
#include "control/event.h"
#include "control/lookup.h"
#include "control/status.h"

namespace l4ward::ctl {

// The whole node; `rows`: at most so many of each kind, those that are not well first. 0: all.
std::string statusScreen(const control::NodeStatus& status, const Style& style, std::size_t rows);
std::string servicesScreen(const control::NodeStatus& status, const Style& style);
std::string vipsScreen(const control::NodeStatus& status, const Style& style);
std::string bgpScreen(const control::NodeStatus& status, const Style& style);
std::string overridesScreen(const control::NodeStatus& status, const Style& style);
std::string digestScreen(const control::NodeStatus& status, const Style& style);
std::string lookupScreen(const control::Lookup& lookup, const Style& style);
std::string eventLine(const control::Event& event, const Style& style);

// Empty names select all.
struct ServerFilter {
  std::string pool;
  std::string service;  // its name or key
  bool down = false;    // only those that are not up
};
struct ServerView {
  ServerFilter filter;
  bool verbose = false;  // addresses, too
};
std::string serversScreen(const control::NodeStatus& status, const ServerView& view,
                          const Style& style);
bool matches(const control::NodeStatus& status, const ServerFilter& filter,
             const control::Server& server);

struct CheckFilter {
  std::string server;
  bool failing = false;  // not up, on the way down, or not possible on this node
};
struct CheckView {
  CheckFilter filter;
  bool verbose = false;  // with the answers of late
};
std::string checksScreen(const control::NodeStatus& status, const CheckView& view,
                         const Style& style);
bool matches(const CheckFilter& filter, const control::Check& check);

// One for all services of a node: equal on nodes that decide alike. 16 hexadecimal digits.
std::string totalDigest(const control::NodeStatus& status);
// "drain by anna, 25m left: kernel update"
std::string overrideText(const control::Override& override, double now);

// What an agent that observes would change.
std::string differencesScreen(const control::NodeStatus& status, const Style& style);

}  // namespace l4ward::ctl
