// Whether several nodes agree. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/ctl/text.h"
#include "control/status.h"

#include <nlohmann/json_fwd.hpp>

namespace l4ward::ctl {

// Where a node answers HTTP.
struct NodeUrl {
  std::string text;  // as given
  std::string host;  // an address without brackets, or a name
  std::string port = "9119";

  // "http://HOST[:PORT][/]", "HOST[:PORT]", "[2001:db8::1]:9119", "2001:db8::1"
  static Result<NodeUrl> parse(const std::string& text);
};

struct NodeAnswer {
  std::string url;
  std::optional<control::NodeStatus> status;
  std::string error;  // why there is none
};

// What nodes see differently: each value with the nodes that say so.
struct Difference {
  struct Said {
    std::string value;
    std::vector<std::string> nodes;
  };
  std::string of;  // "version", "server edge/lb7-1", …
  std::vector<Said> said;
};

struct Comparison {
  std::vector<Difference> differences;
  bool complete = true;  // every node answered

  bool agree() const { return differences.empty() && complete; }
};

// Versions, site files, kernels' table sizes, digests of services, servers, virtual IPs, overrides.
Comparison compare(const std::vector<NodeAnswer>& answers);

std::string fleetScreen(const std::vector<NodeAnswer>& answers, const Style& style);
// {"agree", "nodes": [{"url", "name", "error", …}], "differences": [{"of", "said": […]}]}
nlohmann::json fleetJson(const std::vector<NodeAnswer>& answers);

}  // namespace l4ward::ctl
